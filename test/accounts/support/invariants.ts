/** What must hold of the store whenever no operation is under way and the recovery has run. */
import type { World } from './world.js';

interface Owner {
  _id: string;
  handle: string | null;
  formerHandles?: { handle: string; heldUntil: Date }[];
}

interface Claim {
  _id: string;
  ownerType: 'USER' | 'TEAM';
  ownerId: string;
  pending?: object;
  heldUntil?: Date;
  stamped?: true;
}

interface Invitation {
  _id: string;
  kind: string;
  state: string;
  settling?: string;
  resource: { id: string };
  recipientId: string;
}

interface Team extends Owner {
  ownerId: string;
  members?: { userId: string; role: string }[];
  appliedInvitations?: string[];
}

interface Workflow {
  _id: string;
  appliedInvitations?: string[];
}

/** Each broken rule in words; empty when all is well. */
export async function invariants({ db, clock }: Pick<World, 'db' | 'clock'>): Promise<string[]> {
  const users = await db.collection<Owner>('accounts_users').find().toArray();
  const teams = await db.collection<Team>('accounts_teams').find().toArray();
  const claims = await db.collection<Claim>('accounts_handles').find().toArray();
  const invitations = await db.collection<Invitation>('accounts_invitations').find().toArray();
  const workflows = await db.collection<Workflow>('registry_workflows').find().toArray();
  const byOwner = new Map<string, Owner>([...users, ...teams].map((owner) => [owner._id, owner]));
  const byHandle = new Map(claims.map((claim) => [claim._id, claim]));
  const broken: string[] = [];

  for (const { _id, ownerId, pending, heldUntil } of claims) {
    const has = byOwner.get(ownerId)?.handle === _id;
    if (pending) broken.push(`the claim of ${_id} is never settled`);
    else if (has && heldUntil) broken.push(`${_id} is held although its owner has it`);
    else if (!has && !heldUntil) broken.push(`${_id} is held by nobody`);
  }
  for (const { _id, handle, formerHandles = [] } of byOwner.values()) {
    if (handle !== null && byHandle.get(handle)?.ownerId !== _id) broken.push(`${handle} is not claimed by its owner`);
    for (const former of formerHandles.filter((entry) => entry.heldUntil > clock.now())) {
      const claim = byHandle.get(former.handle);
      if (claim?.ownerId !== _id || claim.heldUntil?.getTime() !== former.heldUntil.getTime()) {
        broken.push(`${former.handle} is not held for its former owner`);
      }
    }
  }
  for (const team of teams) {
    if (team.handle === null) broken.push('a draft of a team is left');
    const owners = team.members?.filter(({ role }) => role === 'OWNER').map(({ userId }) => userId) ?? [];
    if (team.handle !== null && (owners.length !== 1 || owners[0] !== team.ownerId)) {
      broken.push(`team ${team.handle} has the owners ${owners}`);
    }
    const ids = team.members?.map(({ userId }) => userId) ?? [];
    if (new Set(ids).size !== ids.length) broken.push(`team ${team.handle} has a member twice`);
    if (team.appliedInvitations?.length) broken.push(`team ${team.handle} remembers a settled invitation`);
  }
  for (const { _id, appliedInvitations } of workflows) {
    if (appliedInvitations?.length) broken.push(`workflow ${_id} remembers a settled invitation`);
  }
  const known = new Set([...byOwner.keys(), ...workflows.map(({ _id }) => _id)]);
  for (const { _id, state, settling, resource } of invitations) {
    if (settling) broken.push(`invitation ${_id} is never settled`);
    if (state === 'PENDING' && !known.has(resource.id)) broken.push(`invitation ${_id} is about nothing`);
  }
  return broken;
}
