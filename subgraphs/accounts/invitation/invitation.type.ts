import { Directive, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { PlainId, WorkflowId } from '../../../platform/ids.js';
import { type InvitationDoc, InvitationKind, InvitationState, ResourceType } from './invitation.model.js';

registerEnumType(InvitationKind, {
  name: 'InvitationKind',
  description: 'What accepting an invitation does.',
  valuesConfig: {
    TEAM_MEMBERSHIP: { description: 'The recipient joins a team.' },
    TEAM_OWNERSHIP: { description: 'The recipient becomes the owner of a team.' },
    WORKFLOW_OWNERSHIP: { description: 'The recipient becomes the owner of a workflow.' },
    TEMPLATE_OWNERSHIP: { description: 'The recipient becomes the owner of a template.' },
  },
});

registerEnumType(InvitationState, {
  name: 'InvitationState',
  description: 'What became of an invitation.',
  valuesConfig: {
    PENDING: { description: 'It can be accepted, declined or cancelled.' },
    ACCEPTED: { description: 'The recipient accepted it.' },
    DECLINED: { description: 'The recipient declined it.' },
    CANCELLED: { description: 'The proposer cancelled it, or it could no longer take effect.' },
    EXPIRED: { description: 'Nobody answered it in time.' },
  },
});

registerEnumType(ResourceType, {
  name: 'InvitationResourceType',
  description: 'What kind of thing an invitation is about.',
  valuesConfig: {
    TEAM: { description: 'A team.' },
    WORKFLOW: { description: 'A workflow.' },
    TEMPLATE: { description: 'A template.' },
  },
});

export enum InvitationFilter {
  RECEIVED = 'RECEIVED',
  SENT = 'SENT',
  ALL = 'ALL',
}

registerEnumType(InvitationFilter, {
  name: 'InvitationFilter',
  description: 'Which invitations to list.',
  valuesConfig: {
    RECEIVED: { description: 'Those that the caller was sent.' },
    SENT: { description: 'Those that the caller proposed.' },
    ALL: { description: 'Both.' },
  },
});

export enum InvitationStateFilter {
  PENDING = 'PENDING',
  ALL = 'ALL',
}

registerEnumType(InvitationStateFilter, {
  name: 'InvitationStateFilter',
  description: 'In which state the listed invitations are.',
  valuesConfig: {
    PENDING: { description: 'Those that can still be answered.' },
    ALL: { description: 'Any state.' },
  },
});

@ObjectType({ description: 'What an invitation is about.' })
export class InvitationResource {
  @Field(() => ResourceType, { description: 'What kind of thing it is.' })
  type!: ResourceType;

  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Its handle, if it has one.' })
  handle!: string | null;

  @Field(() => String, { nullable: true, description: 'Its slug, if it has one.' })
  slug!: string | null;
}

@ObjectType({
  description: 'A proposal that takes effect when its recipient accepts it. Only both parties can see it.',
})
@Directive('@key(fields: "id")')
export class Invitation {
  @Field(() => ID, { description: 'The id.' })
  id!: string;

  @Field(() => InvitationKind, { description: 'What accepting it does.' })
  kind!: InvitationKind;

  @Field(() => InvitationState, { description: 'What became of it.' })
  state!: InvitationState;

  @Field(() => InvitationResource, { description: 'What it is about.' })
  resource!: InvitationResource;

  @Field(() => Date, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => Date, { description: 'Until when it can be accepted.' })
  expiresAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When it was answered or expired; null while pending.' })
  resolvedAt!: Date | null;

  proposerId!: string;
  recipientId!: string;
}

export function invitationView(invitation: InvitationDoc): Invitation {
  const { _id, kind, state, resource, proposerId, recipientId, createdAt, expiresAt, resolvedAt } = invitation;
  const shown = resourceView(resource);
  return { id: _id, kind, state, resource: shown, proposerId, recipientId, createdAt, expiresAt, resolvedAt };
}

function resourceView({ type, id, handle, slug }: InvitationDoc['resource']): InvitationResource {
  const kind = type === ResourceType.WORKFLOW ? WorkflowId : PlainId;
  return { type, id: kind.format(id), handle, slug: slug ?? null };
}

export const InvitationConnection = connectionType('Invitation', () => Invitation);

@InputType()
class InvitationChoice {
  @Field(() => ID, { description: 'The id of the invitation.' })
  id!: string;
}

@InputType({ description: 'The invitation to accept.' })
export class AcceptInvitationInput extends InvitationChoice {}

@InputType({ description: 'The invitation to decline.' })
export class DeclineInvitationInput extends InvitationChoice {}

@InputType({ description: 'The invitation to cancel.' })
export class CancelInvitationInput extends InvitationChoice {}

@ObjectType()
export class InvitationPayload {
  @Field(() => Invitation, { description: 'The invitation as it is now.' })
  invitation!: Invitation;
}

@ObjectType({ description: 'An accepted invitation.' })
export class AcceptInvitationPayload extends InvitationPayload {}

@ObjectType({ description: 'A declined invitation.' })
export class DeclineInvitationPayload extends InvitationPayload {}

@ObjectType({ description: 'A cancelled invitation.' })
export class CancelInvitationPayload extends InvitationPayload {}

@InputType({ description: 'A workflow or a template that its owner offers to somebody.' })
@Directive('@inaccessible')
export class InternalOfferOwnershipInput {
  // Not an enum: type-graphql cannot mark one as inaccessible, and it would show in the public graph.
  @Field(() => String, { description: 'workflow or template.' })
  kind!: string;

  @Field(() => ID, { description: 'Its id, without prefix.' })
  id!: string;

  @Field(() => String, { description: 'Its slug.' })
  slug!: string;

  @Field(() => ID, { description: 'Its owner, without prefix.' })
  ownerId!: string;

  @Field(() => String, { description: 'Id, e-mail address or handle of whom it is offered to.' })
  newOwner!: string;
}

@ObjectType({ description: 'An offer that was made.' })
@Directive('@inaccessible')
export class InternalOwnershipOffer {
  @Field(() => ID, { description: 'The invitation.' })
  invitationId!: string;
}

@InputType({ description: 'A workflow or a template that is gone.' })
@Directive('@inaccessible')
export class InternalResourceGoneInput {
  @Field(() => ID, { description: 'Its id, without prefix.' })
  id!: string;
}

@ObjectType({ description: 'What cannot be accepted any more.' })
@Directive('@inaccessible')
export class InternalResourceGone {
  @Field(() => ID, { description: 'Id of what is gone, without prefix.' })
  id!: string;
}
