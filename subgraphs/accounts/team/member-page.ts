/** Pages of a team's members, cut by the database, so that the first page of a large team is as cheap as of a small one. */
import type { Collection, Document } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { decodeCursor, encodeCursor, type Page, type PageRequest, pageSize } from '../../../platform/mongo/page.js';
import { type Member, type TeamDoc, TeamRole } from './team.model.js';

/** Members of these teams after the cursor; a team that `viewerId` does not belong to has none. */
export async function memberPages(
  teams: Collection<TeamDoc>,
  teamIds: readonly string[],
  viewerId: string,
  request: PageRequest,
): Promise<Map<string, Page<Member>>> {
  const size = pageSize(request);
  const listed: Document | string = request.after
    ? { $filter: { input: '$members', as: 'member', cond: behind(readCursor(request.after)) } }
    : '$members';
  const cut = await teams
    .aggregate<{ _id: string; members: Member[] }>([
      { $match: { _id: { $in: [...teamIds] }, 'members.userId': viewerId } },
      { $project: { members: { $slice: [listed, size + 1] } } },
    ])
    .toArray();
  return new Map(
    cut.map(({ _id, members }) => [
      _id,
      { items: members.slice(0, size), cursorOf: writeCursor, hasNextPage: members.length > size },
    ]),
  );
}

interface Position {
  isOwner: boolean;
  joinedAt: Date;
  userId: string;
}

function writeCursor({ role, joinedAt, userId }: Member): string {
  return encodeCursor(`${role === TeamRole.OWNER ? 'o' : 'm'}:${joinedAt.getTime()}:${userId}`);
}

function readCursor(cursor: string): Position {
  const [, kind, time, userId] = /^([om]):(\d{1,15}):([0-9a-f-]{36})$/.exec(decodeCursor(cursor)) ?? [];
  if (!kind || !time || !userId) throw Problem.invalid('cursor', 'is not a cursor of this list');
  return { isOwner: kind === 'o', joinedAt: new Date(Number(time)), userId };
}

function behind({ isOwner, joinedAt, userId }: Position): Document {
  const isMember = { $eq: ['$$member.role', TeamRole.MEMBER] };
  if (isOwner) return isMember;
  const later = { $gt: ['$$member.joinedAt', joinedAt] };
  const laterId = { $and: [{ $eq: ['$$member.joinedAt', joinedAt] }, { $gt: ['$$member.userId', userId] }] };
  return { $and: [isMember, { $or: [later, laterId] }] };
}
