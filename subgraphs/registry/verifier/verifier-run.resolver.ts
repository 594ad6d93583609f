import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { VerifierId, VerifierRunId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import type { RegistryContext } from '../context.js';
import { referencedVerifier } from './verifier.resolver.js';
import { Verifier } from './verifier.type.js';
import {
  RunVerifierInput,
  RunVerifierPayload,
  VerifierRun,
  VerifierRunConnection,
  verifierRunView,
} from './verifier-run.type.js';

@Resolver(() => VerifierRun)
export class VerifierRunResolver {
  @Mutation(() => RunVerifierPayload, {
    nullable: true,
    description: 'Judges. A judge that was asked and failed is a run with status ERROR, and costs nothing.',
  })
  async runVerifier(
    @Arg('input', () => RunVerifierInput, { description: 'What to judge, and by what.' })
    { verifier, inputs, mediaUrl, version, idempotencyKey }: RunVerifierInput,
    @Ctx() { scope, verifierRuns, verifierLoader }: RegistryContext,
  ): Promise<RunVerifierPayload> {
    const input = { inputs, media_url: mediaUrl, version };
    const given = { reference: verifier, input, key: idempotencyKey ?? null, loader: verifierLoader };
    const run = await verifierRuns.run(scope, given);
    return { run: verifierRunView(run, scope.caller?.userId ?? null) };
  }

  @Query(() => VerifierRun, { nullable: true, description: 'One of your runs; null when there is none such.' })
  async verifierRun(
    @Arg('id', () => ID, { description: 'Id of the run.' }) id: string,
    @Ctx() context: RegistryContext,
  ): Promise<VerifierRun | null> {
    requireCaller(context.scope);
    return referencedVerifierRun(id, context);
  }

  @Query(() => VerifierRunConnection, {
    nullable: true,
    description: 'Runs of one of your verifiers, revoked ones too, newest first.',
  })
  async verifierRuns(
    @Arg('verifierId', () => ID, { description: 'Id of the verifier, or its name.' }) verifierId: string,
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, verifierAccess, verifierLoader, verifierRunStore }: RegistryContext,
  ): Promise<Connection<VerifierRun>> {
    const caller = requireCaller(scope);
    const { _id } = await verifierAccess.owned(caller, verifierId, verifierLoader);
    return toConnection(await verifierRunStore.page(_id, page), (run) => verifierRunView(run, caller.userId));
  }

  @FieldResolver(() => Verifier, {
    nullable: true,
    description: 'The verifier as it is; null for one of the platform’s own, and when it can no longer be seen.',
  })
  async verifier(@Root() { verifierUuid }: VerifierRun, @Ctx() context: RegistryContext): Promise<Verifier | null> {
    return verifierUuid === null ? null : referencedVerifier(VerifierId.format(verifierUuid), context);
  }
}

export async function referencedVerifierRun(
  id: string,
  { scope, verifierRunLoader }: RegistryContext,
): Promise<VerifierRun | null> {
  const uuid = VerifierRunId.parse(id);
  const run = uuid === null || !scope.caller ? null : await verifierRunLoader.load(uuid);
  return run && scope.caller && run.ownerId === scope.caller.userId ? verifierRunView(run, run.ownerId) : null;
}
