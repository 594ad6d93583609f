/** People with what they own, written straight into the collections, the same in every database. */
import type { Db } from 'mongodb';
import { KeyId, newId } from '../../platform/ids.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import { type Caller, wholeAccount } from '../../platform/scope.js';
import { randomToken, sha256 } from '../../platform/secrets.js';
import { API_KEYS, type ApiKeyDoc } from '../../subgraphs/accounts/api-key/api-key.model.js';
import { TEAMS, type TeamDoc, TeamRole } from '../../subgraphs/accounts/team/team.model.js';
import { USERS, type UserDoc } from '../../subgraphs/accounts/user/user.model.js';
import { Account, emptyAccount } from '../../subgraphs/billing/account/account.js';
import { type AccountDocument, BILLING_ACCOUNTS } from '../../subgraphs/billing/account/account.model.js';
import { type BillingSettings, microsOf } from '../../subgraphs/billing/settings.js';
import { IMAGES, type ImageDocument } from '../../subgraphs/images/image/image.model.js';
import { GENERATORS, type GeneratorDocument } from '../../subgraphs/registry/generator/generator.model.js';
import { VersionedStatus } from '../../subgraphs/registry/versioned/versioned.model.js';

export interface Person {
  /** The credential that requests carry. */
  key: string;
  caller: Caller;
  /** As callers see them. */
  keyIds: string[];
  teamIds: string[];
}

const PEOPLE = 64;
const KEYS = 40;
const IMAGES_EACH = 40;
const GENERATORS_EACH = 5;
const TEAMS_EACH = 2;
const MEMBERS = 16;

export async function seed(databases: readonly Db[]): Promise<Person[]> {
  const users = list(PEOPLE, userDoc);
  const secrets = users.map(() => `good_live_${randomToken()}`);
  const keys = users.map(({ _id }, i) => list(KEYS, (n) => keyDoc(_id, n, n === 0 ? secrets[i] : undefined)));
  const teams = users.map((_, i) => list(TEAMS_EACH, (n) => teamDoc(users, i, n)));
  const images = users.flatMap(({ _id }) => list(IMAGES_EACH, () => imageDoc(_id)));
  const generators = users.flatMap(({ _id }) => list(GENERATORS_EACH, (n) => generatorDoc(_id, n)));
  const accounts = users.map(({ _id, createdAt }, i) => accountDoc(_id, createdAt, i % 2 === 0));
  for (const db of databases) {
    await ensureIndexes(db, [USERS, API_KEYS, TEAMS, IMAGES, GENERATORS, BILLING_ACCOUNTS]);
    await db.collection<UserDoc>(USERS.name).insertMany(users);
    await db.collection<ApiKeyDoc>(API_KEYS.name).insertMany(keys.flat());
    await db.collection<TeamDoc>(TEAMS.name).insertMany(teams.flat());
    await db.collection<ImageDocument>(IMAGES.name).insertMany(images);
    await db.collection<GeneratorDocument>(GENERATORS.name).insertMany(generators);
    await db.collection<AccountDocument>(BILLING_ACCOUNTS.name).insertMany(accounts);
  }
  return users.map(({ _id, email, handle, handleClaimedAt, createdAt, suspended }, i) => ({
    key: secrets[i] ?? '',
    caller: {
      ...{ userId: _id, keyId: keys[i]?.[0]?._id ?? '', email, handle, handleClaimedAt, createdAt, suspended },
      ...wholeAccount(_id),
    },
    keyIds: (keys[i] ?? []).map((key) => KeyId.format(key._id)),
    teamIds: (teams[i] ?? []).map((team) => team._id),
  }));
}

export const BILLING: BillingSettings = {
  refills: { hobby: microsOf(5), pro: microsOf(50) },
  anonymousGrant: microsOf(0.25),
  anonymousDailyCap: microsOf(25),
  anonymousMonthlyImages: 100,
  reservationTtlMs: 120_000,
};

function accountDoc(userId: string, createdAt: Date, pro: boolean): AccountDocument {
  const account = new Account(emptyAccount(userId, 'user', createdAt), BILLING, new Date());
  account.setTier({ source: 'bench', tier: pro ? 'pro' : 'hobby' });
  return account.toDocument();
}

function list<T>(length: number, make: (n: number) => T): T[] {
  return Array.from({ length }, (_, n) => make(n));
}

function userDoc(n: number): UserDoc {
  const createdAt = new Date(Date.UTC(2026, 0, 1 + n));
  return {
    _id: newId(),
    email: `person-${n}@example.com`,
    createdAt,
    handle: `person-${n}`,
    handleClaimedAt: createdAt,
    formerHandles: [],
    renames: [],
    rev: 1,
    suspended: false,
    suspension: null,
  };
}

function keyDoc(userId: string, n: number, given?: string): ApiKeyDoc {
  const secret = given ?? `good_live_${randomToken()}`;
  return {
    _id: newId(),
    userId,
    hash: sha256(secret),
    prefix: secret.slice(0, 14),
    name: `automation ${n}`,
    origin: 'CREATED',
    slot: n,
    createdAt: new Date(Date.UTC(2026, 2, 1, 0, n)),
    // Later than any use during the run, so that the answers stay as they are.
    lastUsedAt: new Date('2100-01-01T00:00:00Z'),
  };
}

function teamDoc(users: readonly UserDoc[], owner: number, n: number): TeamDoc {
  const at = new Date(Date.UTC(2026, 3, 1, owner, n));
  const ids = list(MEMBERS, (m) => users[(owner + m * (n + 1)) % users.length]?._id ?? '');
  return {
    _id: newId(),
    handle: `team-${owner}-${n}`,
    ownerId: ids[0] ?? '',
    slot: n,
    members: ids.map((userId, m) => ({
      userId,
      role: m === 0 ? TeamRole.OWNER : TeamRole.MEMBER,
      joinedAt: new Date(at.getTime() + m),
    })),
    appliedInvitations: [],
    turnover: 0,
    createdAt: at,
    updatedAt: at,
    rev: 1,
  };
}

function imageDoc(ownerId: string): ImageDocument {
  return {
    state: 'live',
    sha256: randomToken(),
    _id: newId(),
    ownerId,
    token: randomToken(),
    extension: 'png',
    visibility: 'public',
    source: 'upload',
    contentType: 'image/png',
    sizeBytes: 48_213,
    width: 1024,
    height: 768,
    createdAt: new Date(Date.UTC(2026, 4, 1)),
    expiresAt: null,
  };
}

function generatorDoc(ownerId: string, n: number): GeneratorDocument {
  const at = new Date(Date.UTC(2026, 5, 1, n));
  return {
    _id: newId(),
    ownerId,
    name: `generator-${n}`,
    status: VersionedStatus.ACTIVE,
    current: {
      version: 1,
      description: 'Product shots on a plain ground',
      config: { model: 'local/atelier', provider: 'local', generationContract: 'text_to_image', defaultParams: {} },
      configHash: sha256(String(n)),
      createdAt: at,
    },
    versionToken: randomToken(),
    createdAt: at,
    updatedAt: at,
  };
}
