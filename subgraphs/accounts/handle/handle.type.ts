import { Directive, Field, ID, InputType, ObjectType } from 'type-graphql';
import { User } from '../user/user.type.js';

@InputType({ description: 'The handle to claim.' })
export class ClaimHandleInput {
  @Field(() => String, { description: '3 to 40 of a-z, 0-9 and hyphen, with a letter or digit at both ends.' })
  handle!: string;
}

@ObjectType({ description: 'A claimed handle.' })
export class ClaimHandlePayload {
  @Field(() => String, { description: 'The handle, without @.' })
  handle!: string;

  @Field(() => Date, { description: 'When it was claimed.' })
  claimedAt!: Date;

  @Field(() => User, { description: 'The caller, with the handle.' })
  user!: User;
}

@InputType({ description: 'The new handle.' })
export class RenameHandleInput {
  @Field(() => String, { description: '3 to 40 of a-z, 0-9 and hyphen, with a letter or digit at both ends.' })
  handle!: string;
}

@ObjectType({ description: 'A changed handle. The former one is held for its owner for 90 days.' })
export class RenameHandlePayload {
  @Field(() => String, { description: 'The new handle, without @.' })
  handle!: string;

  @Field(() => Date, { description: 'When it became the handle.' })
  claimedAt!: Date;

  @Field(() => Boolean, { description: 'Always true.' })
  renamed!: boolean;

  @Field(() => Boolean, { description: 'Whether a former handle was taken back, which counts against no limit.' })
  selfReclaim!: boolean;

  @Field(() => User, { description: 'The caller, with the new handle.' })
  user!: User;
}

@ObjectType({ description: 'Whose a handle is.' })
@Directive('@inaccessible')
export class InternalHandle {
  // Not an enum: type-graphql cannot mark one as inaccessible, and it would show in the public graph.
  @Field(() => String, { description: 'USER or TEAM.' })
  ownerType!: string;

  @Field(() => ID, { description: 'The user or team, without prefix.' })
  ownerId!: string;

  @Field(() => String, { description: "The owner's handle now." })
  handle!: string;

  @Field(() => Boolean, { description: 'Whether the owner was asked for by a handle that it gave up.' })
  redirected!: boolean;
}

@InputType({ description: 'The handle that a published template bears.' })
@Directive('@inaccessible')
export class InternalStampHandleInput {
  @Field(() => String, { description: 'The handle.' })
  handle!: string;
}

@ObjectType({ description: 'A handle that never goes to another owner.' })
@Directive('@inaccessible')
export class InternalStampedHandle {
  @Field(() => String, { description: 'The handle.' })
  handle!: string;

  @Field(() => String, { description: 'USER or TEAM.' })
  ownerType!: string;

  @Field(() => ID, { description: 'Whose it stays: the user or team, without prefix.' })
  ownerId!: string;
}
