/** How a workflow or a template changes hands: what accounts asks while it carries out an accepted invitation. */

export const OWNED_KINDS = ['workflow', 'template'] as const;
export type OwnedKind = (typeof OWNED_KINDS)[number];

export interface OwnedThing {
  kind: OwnedKind;
  /** Bare id. */
  id: string;
}

/** As of one reading of the thing. */
export interface Standing {
  ownerId: string;
  /** Rises with every change of hands; a change is conditional on the one that was read. */
  turnover: number;
  /** Whether the invitation that was asked about has taken effect already. */
  applied: boolean;
}

export interface HandOver {
  thing: OwnedThing;
  invitationId: string;
  from: string;
  to: string;
  turnover: number;
}

export interface Ownerships {
  /** Null for a thing that is gone. */
  standing(thing: OwnedThing, invitationId: string): Promise<Standing | null>;
  /** False when the thing is not as it was read. */
  handOver(change: HandOver): Promise<boolean>;
  /** Makes changes fail that were read for before, and tells whether one of this invitation had succeeded. */
  fence(thing: OwnedThing, invitationId: string): Promise<boolean>;
  /** The invitation is settled: what was kept to recognise it can go. */
  forget(thing: OwnedThing, invitationId: string): Promise<void>;
}
