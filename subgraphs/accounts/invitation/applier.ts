import type { Problem } from '../../../platform/errors.js';
import type { InvitationDoc, InvitationKind } from './invitation.model.js';

/** How an accepted invitation of one kind takes effect, exactly once although several processes may try. */
export interface Applier {
  /** Why the invitation cannot take effect as things stand; null when it can. */
  obstacle(invitation: InvitationDoc): Promise<Problem | null>;
  /**
   * Makes it take effect, or says why it cannot. `stillOpen` tells, as of when it is called, whether the outcome is
   * still to be decided; it must be asked after whatever the applier's write is conditional on has been read.
   */
  apply(invitation: InvitationDoc, stillOpen: () => Promise<boolean>): Promise<Problem | null>;
  /** Makes attempts that are still under way elsewhere fail, and tells whether one had succeeded. */
  fence(invitation: InvitationDoc): Promise<boolean>;
  /** Called once the outcome is written down: what was kept to recognise it can go. */
  forget(invitation: InvitationDoc): Promise<void>;
}

export type Appliers = Readonly<Record<InvitationKind, Applier>>;
