/** The proposals that owners of workflows and templates can make. That they are the owners, the registry has seen. */
import { Problem } from '../../../platform/errors.js';
import type { OwnedKind } from '../../registry/ownership/ownerships.js';
import type { UserService } from '../user/user.service.js';
import { type InvitationDoc, InvitationKind, ResourceType } from './invitation.model.js';
import type { InvitationService } from './invitation.service.js';

export interface OwnershipOffersDeps {
  userService: UserService;
  invitationService: InvitationService;
}

export interface OwnershipOffer {
  kind: OwnedKind;
  id: string;
  slug: string;
  ownerId: string;
  newOwner: string;
}

const MEANT: Readonly<Record<OwnedKind, { kind: InvitationKind; type: ResourceType }>> = {
  workflow: { kind: InvitationKind.WORKFLOW_OWNERSHIP, type: ResourceType.WORKFLOW },
  template: { kind: InvitationKind.TEMPLATE_OWNERSHIP, type: ResourceType.TEMPLATE },
};

export class OwnershipOffers {
  readonly #deps: OwnershipOffersDeps;

  constructor(deps: OwnershipOffersDeps) {
    this.#deps = deps;
  }

  async make({ kind: owned, id, slug, ownerId, newOwner }: OwnershipOffer): Promise<InvitationDoc> {
    const { userService, invitationService } = this.#deps;
    await userService.countLookup(ownerId);
    const recipient = await userService.find(newOwner);
    if (!recipient) throw new Problem('user_not_found');
    const { userId: recipientId } = recipient;
    if (recipientId === ownerId) throw new Problem('conflict', `You own this ${owned} already.`);
    const { kind, type } = MEANT[owned];
    const resource = { type, id, handle: null, slug };
    return invitationService.propose({ kind, resource, proposerId: ownerId, recipientId });
  }
}
