import { Directive, Field, ID, ObjectType } from 'type-graphql';

@ObjectType({ description: 'Whom a credential belongs to, as of now. Ids are without prefix.' })
@Directive('@inaccessible')
export class InternalCaller {
  @Field(() => ID, { description: 'The user.' })
  userId!: string;

  @Field(() => ID, { description: 'The key.' })
  keyId!: string;

  @Field(() => ID, { description: 'The tenant on whose behalf it acts.' })
  tenantId!: string;

  @Field(() => [String], { description: 'What it may be used for.' })
  scopes!: string[];

  @Field(() => String, { nullable: true, description: 'What an access token was given for; null for keys.' })
  audience!: string | null;

  @Field(() => String, { description: 'The e-mail address.' })
  email!: string;

  @Field(() => String, { nullable: true, description: 'The claimed handle.' })
  handle!: string | null;

  @Field(() => Date, { nullable: true, description: 'When the handle was claimed or last changed.' })
  handleClaimedAt!: Date | null;

  @Field(() => Date, { description: 'When the account was made.' })
  createdAt!: Date;

  @Field(() => Boolean, { description: 'Whether the account is suspended.' })
  suspended!: boolean;
}
