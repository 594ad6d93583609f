import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { UserId, VerifierId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import type { RegistryContext } from '../context.js';
import { User } from '../user/user.type.js';
import { VersionedStatus } from '../versioned/versioned.model.js';
import {
  DeleteVerifierInput,
  DeleteVerifierPayload,
  DeployVerifierInput,
  DeployVerifierPayload,
  RevokeVerifierInput,
  RevokeVerifierPayload,
  Verifier,
  VerifierConnection,
  VerifierVersionConnection,
  type VerifierVersionDetails,
  verifierView,
  versionView,
} from './verifier.type.js';
import { type VerifierRun, VerifierRunConnection, verifierRunView } from './verifier-run.type.js';

type Verifiers = Promise<Connection<Verifier>>;

async function connection({ versions }: RegistryContext, ownerId: string, page: ConnectionArgs): Verifiers {
  return toConnection(await versions.verifiers.list(ownerId, page), (verifier) => verifierView(verifier));
}

@Resolver(() => Verifier)
export class VerifierResolver {
  @Query(() => Verifier, { nullable: true, description: 'A verifier that you may see, at one of its versions.' })
  async verifier(
    @Arg('id', () => ID, { description: 'Id of the verifier, or `id@version`, or its name.' }) id: string,
    @Arg('version', () => Int, { nullable: true, description: 'The version; the current one when left out.' })
    version: number | null,
    @Ctx() { scope, verifierAccess, verifierLoader }: RegistryContext,
  ): Promise<Verifier> {
    const found = await verifierAccess.pinned(scope, id, version ?? null, 'tune', verifierLoader);
    return verifierView(found.verifier, found.version);
  }

  @Query(() => VerifierConnection, { nullable: true, description: 'Your active verifiers, newest first.' })
  async verifiers(@Args(() => ConnectionArgs) page: ConnectionArgs, @Ctx() context: RegistryContext) {
    return connection(context, requireCaller(context.scope).userId, page);
  }

  @Mutation(() => DeployVerifierPayload, {
    nullable: true,
    description: 'Makes a verifier, or the next version of one.',
  })
  async deployVerifier(
    @Arg('input', () => DeployVerifierInput, { description: 'What to deploy.' }) input: DeployVerifierInput,
    @Ctx() { scope, verifiers, verifierLoader }: RegistryContext,
  ): Promise<DeployVerifierPayload> {
    const { modelSettings } = input;
    const verifier = await verifiers.deploy(scope, {
      name: input.name,
      description: input.description,
      criterion: input.criterion,
      input_contract: input.inputContract,
      input_fields: input.inputFields,
      few_shot_examples: input.fewShotExamples,
      model_settings: modelSettings && {
        model: modelSettings.model,
        reasoning_effort: modelSettings.reasoningEffort,
      },
      expected_version_token: input.expectedVersionToken,
    });
    verifierLoader.clear(verifier._id);
    return { verifier: verifierView(verifier) };
  }

  @Mutation(() => RevokeVerifierPayload, {
    nullable: true,
    description: 'Takes a verifier out of use for good. Its runs are kept, and its name stays taken.',
  })
  async revokeVerifier(
    @Arg('input', () => RevokeVerifierInput, { description: 'The verifier.' }) { verifier }: RevokeVerifierInput,
    @Ctx() { scope, verifiers, verifierLoader }: RegistryContext,
  ): Promise<RevokeVerifierPayload> {
    const uuid = await verifiers.revoke(scope, verifier, verifierLoader);
    return { verifierId: VerifierId.format(uuid), status: VersionedStatus.REVOKED };
  }

  @Mutation(() => DeleteVerifierPayload, {
    nullable: true,
    description: 'Erases a verifier with its versions and runs, for good and at once.',
  })
  async deleteVerifier(
    @Arg('input', () => DeleteVerifierInput, { description: 'The verifier.' }) { verifier }: DeleteVerifierInput,
    @Ctx() { scope, verifiers, verifierLoader }: RegistryContext,
  ): Promise<DeleteVerifierPayload> {
    const uuid = await verifiers.erase(scope, verifier, verifierLoader);
    return { verifierId: VerifierId.format(uuid), deleted: true };
  }

  @FieldResolver(() => VerifierVersionConnection, { description: 'Its versions, newest first.' })
  async versions(
    @Root() { uuid }: Verifier,
    @Args(() => ConnectionArgs) { first, after }: ConnectionArgs,
    @Ctx() { verifierVersionPages }: RegistryContext,
  ): Promise<Connection<VerifierVersionDetails>> {
    return toConnection(await verifierVersionPages.load({ ownerId: uuid, first, after }), versionView);
  }

  @FieldResolver(() => VerifierRunConnection, {
    nullable: true,
    description: 'Its runs, newest first; null for whoever is not the owner.',
  })
  async runs(
    @Root() { uuid, owner }: Verifier,
    @Args(() => ConnectionArgs) { first, after }: ConnectionArgs,
    @Ctx() { scope, verifierRunPages }: RegistryContext,
  ): Promise<Connection<VerifierRun> | null> {
    const viewerId = scope.caller?.userId ?? null;
    if (viewerId === null || UserId.parse(owner.id) !== viewerId) return null;
    const page = await verifierRunPages.load({ ownerId: uuid, first, after });
    return toConnection(page, (run) => verifierRunView(run, viewerId));
  }
}

/** Only who may see it, and only while it can be used. */
export async function referencedVerifier(id: string, context: RegistryContext): Promise<Verifier | null> {
  const { scope, verifierAccess, verifierLoader } = context;
  const uuid = VerifierId.parse(id);
  if (!scope.caller || uuid === null) return null;
  const verifier = await verifierLoader.load(uuid);
  const right = await verifierAccess.rightOf(scope, uuid, verifier);
  const shown = verifier?.status === VersionedStatus.ACTIVE && (right === 'own' || right === 'tune');
  return shown ? verifierView(verifier) : null;
}

@Resolver(() => User)
export class UserVerifiersResolver {
  @FieldResolver(() => VerifierConnection, {
    nullable: true,
    description: 'Active verifiers of this user, newest first; null for anyone but yourself.',
  })
  async verifiers(
    @Root() user: User,
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() context: RegistryContext,
  ): Promise<Connection<Verifier> | null> {
    const { caller } = context.scope;
    return caller && UserId.parse(user.id) === caller.userId ? connection(context, caller.userId, page) : null;
  }
}
