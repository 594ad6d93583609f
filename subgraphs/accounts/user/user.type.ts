import { Directive, Field, ID, InputType, ObjectType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import { UserId } from '../../../platform/ids.js';
import type { Profile } from './user.model.js';

@ObjectType({ description: 'Somebody with an account. Other people see the id and the handle.' })
@Directive('@key(fields: "id")')
export class User {
  @Field(() => ID, { description: 'The id, for example usr_0190….' })
  @OpenToAllKeys()
  id!: string;

  @Field(() => String, { nullable: true, description: 'The e-mail address; null for anybody but the user.' })
  email!: string | null;

  @Field(() => String, { nullable: true, description: 'The claimed handle, without @.' })
  @OpenToAllKeys()
  handle!: string | null;

  @Field(() => Date, { nullable: true, description: 'When the handle was claimed or last changed.' })
  handleClaimedAt!: Date | null;

  @Field(() => Date, { nullable: true, description: 'When the account was made; null for anybody but the user.' })
  createdAt!: Date | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether the account is suspended: it cannot spend, publish or make keys. Null for anybody else.',
  })
  suspended!: boolean | null;
}

/** A user as the viewer may see them. */
export function userView(profile: Profile, viewerId: string | undefined): User {
  const { userId, email, handle, handleClaimedAt, createdAt, suspended } = profile;
  const shown = { id: UserId.format(userId), handle, handleClaimedAt };
  if (userId !== viewerId) return { ...shown, email: null, createdAt: null, suspended: null };
  return { ...shown, email, createdAt, suspended };
}

@InputType({ description: 'Whom to suspend, or to let act again.' })
@Directive('@inaccessible')
export class InternalSetSuspensionInput {
  @Field(() => String, { description: 'Id, e-mail address or handle of the user.' })
  userIdentifier!: string;

  @Field(() => Boolean, { description: 'Whether the account is to be suspended.' })
  suspended!: boolean;

  @Field(() => String, { nullable: true, description: 'Why, for the record.' })
  reason?: string | null;
}

@ObjectType({ description: 'The standing of an account.' })
@Directive('@inaccessible')
export class InternalSuspension {
  @Field(() => ID, { description: 'The user, without prefix.' })
  userId!: string;

  @Field(() => Boolean, { description: 'Whether the account is suspended.' })
  suspended!: boolean;
}

@ObjectType({ description: 'A user as the platform knows them.' })
@Directive('@inaccessible')
export class InternalUser {
  @Field(() => ID, { description: 'The user, without prefix.' })
  userId!: string;

  @Field(() => String, { description: 'The e-mail address.' })
  email!: string;

  @Field(() => String, { nullable: true, description: 'The claimed handle, without @.' })
  handle!: string | null;

  @Field(() => Date, { description: 'When the account was made.' })
  createdAt!: Date;

  @Field(() => Boolean, { description: 'Whether the account is suspended.' })
  suspended!: boolean;
}
