import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { WorkflowId } from '../../../platform/ids.js';
import type { RegistryContext } from '../context.js';
import { WorkflowInput } from '../workflow/workflow.type.js';
import {
  GrantWorkflowInput,
  GrantWorkflowPayload,
  grantView,
  LeaveWorkflowPayload,
  RevokeWorkflowGrantInput,
  RevokeWorkflowGrantPayload,
  WorkflowGrant,
  WorkflowGrantConnection,
} from './grant.type.js';

@Resolver(() => WorkflowGrant)
export class GrantResolver {
  @Query(() => WorkflowGrantConnection, {
    nullable: true,
    description: 'Whom a workflow is shared with, in the order of sharing. For its owner and who has the role admin.',
  })
  async workflowGrants(
    @Arg('id', () => ID, { description: 'Id or slug of the workflow.' }) id: string,
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, grants }: RegistryContext,
  ): Promise<Connection<WorkflowGrant>> {
    return toConnection(await grants.list(scope, id, page), grantView);
  }

  @FieldResolver(() => String, {
    description: 'The grantee’s `@handle`, or the id where there is none. Either can be used to revoke the grant.',
  })
  granteeIdentifier(@Root() { document }: WorkflowGrant, @Ctx() { principalNames }: RegistryContext): Promise<string> {
    return principalNames.load({ type: document.granteeType, id: document.granteeId });
  }

  @Mutation(() => GrantWorkflowPayload, {
    nullable: true,
    description: 'Shares a workflow with a user or a team, or changes the role that they have.',
  })
  async grantWorkflow(
    @Arg('input', () => GrantWorkflowInput, { description: 'What to give whom.' }) input: GrantWorkflowInput,
    @Ctx() { scope, grants, workflowLoader }: RegistryContext,
  ): Promise<GrantWorkflowPayload> {
    const { workflow, grant } = await grants.give(scope, input.id, {
      grantee_email_or_at_team_handle: input.grantee,
      role: input.role,
      include_history: input.includeHistory,
    });
    workflowLoader.clear(workflow._id);
    return { workflowId: WorkflowId.format(workflow._id), grant: grantView(grant) };
  }

  @Mutation(() => RevokeWorkflowGrantPayload, {
    nullable: true,
    description: 'Takes from a user or a team what they were given. It ends at once, for the verifiers as well.',
  })
  async revokeWorkflowGrant(
    @Arg('input', () => RevokeWorkflowGrantInput, { description: 'From whom.' })
    { id, grantee }: RevokeWorkflowGrantInput,
    @Ctx() { scope, grants, workflowLoader }: RegistryContext,
  ): Promise<RevokeWorkflowGrantPayload> {
    const { _id } = await grants.revoke(scope, id, { grantee_email_or_at_team_handle: grantee });
    workflowLoader.clear(_id);
    return { workflowId: WorkflowId.format(_id), revoked: true };
  }

  @Mutation(() => LeaveWorkflowPayload, {
    nullable: true,
    description: 'Gives up what was granted to the caller themself. What a team was granted stays.',
  })
  async leaveWorkflow(
    @Arg('input', () => WorkflowInput, { description: 'The workflow.' }) { id }: WorkflowInput,
    @Ctx() { scope, grants, workflowLoader }: RegistryContext,
  ): Promise<LeaveWorkflowPayload> {
    const { workflow, removed } = await grants.leave(scope, id);
    workflowLoader.clear(workflow._id);
    return { workflowId: WorkflowId.format(workflow._id), removedDirectGrants: removed };
  }
}
