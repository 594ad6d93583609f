/** What the acceptance of a workflow's or a template's ownership does. They live in the registry, which is asked. */
import { Problem } from '../../../platform/errors.js';
import type { OwnedKind, OwnedThing, Ownerships, Standing } from '../../registry/ownership/ownerships.js';
import type { Applier } from './applier.js';
import type { InvitationDoc } from './invitation.model.js';

const ATTEMPTS = 20;

export class OwnershipApplier implements Applier {
  readonly #kind: OwnedKind;
  readonly #ownerships: Ownerships;

  constructor(kind: OwnedKind, ownerships: Ownerships) {
    this.#kind = kind;
    this.#ownerships = ownerships;
  }

  async obstacle(invitation: InvitationDoc): Promise<Problem | null> {
    return this.#obstacleIn(await this.#standing(invitation), invitation);
  }

  #standing(invitation: InvitationDoc): Promise<Standing | null> {
    return this.#ownerships.standing(this.#thing(invitation), invitation._id);
  }

  #thing({ resource }: InvitationDoc): OwnedThing {
    return { kind: this.#kind, id: resource.id };
  }

  #obstacleIn(standing: Standing | null, { proposerId }: InvitationDoc): Problem | null {
    if (!standing) return new Problem('not_found', `The ${this.#kind} no longer exists.`);
    if (standing.ownerId === proposerId) return null;
    return new Problem('conflict', `Whoever proposed this no longer owns the ${this.#kind}. Ask for a new invitation.`);
  }

  /**
   * The turnover that was read before the invitation was found to be open guards against a late second effect: had the
   * invitation taken effect and been undone since, by another transfer, the turnover would have changed.
   */
  async apply(invitation: InvitationDoc, stillOpen: () => Promise<boolean>): Promise<Problem | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const standing = await this.#standing(invitation);
      if (standing?.applied) return null;
      if (!(await stillOpen())) return null;
      const obstacle = this.#obstacleIn(standing, invitation);
      if (obstacle || !standing) return obstacle;
      const { _id: invitationId, proposerId: from, recipientId: to } = invitation;
      const { turnover } = standing;
      if (await this.#ownerships.handOver({ thing: this.#thing(invitation), invitationId, from, to, turnover })) {
        return null;
      }
    }
    throw new Problem('unavailable', `The ${this.#kind} is being changed by many requests. It will be tried again.`);
  }

  fence(invitation: InvitationDoc): Promise<boolean> {
    return this.#ownerships.fence(this.#thing(invitation), invitation._id);
  }

  forget(invitation: InvitationDoc): Promise<void> {
    return this.#ownerships.forget(this.#thing(invitation), invitation._id);
  }
}
