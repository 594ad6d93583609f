import { Ctx, Query, Resolver } from 'type-graphql';
import { NeedsScope } from '../../../platform/graph/key-scopes.js';
import type { BillingContext } from '../context.js';
import { UnlockStatus, unlockView } from './unlock.type.js';

@Resolver()
export class UnlockResolver {
  @Query(() => UnlockStatus, {
    nullable: true,
    description: 'Progress towards the community milestone. No credentials needed.',
  })
  @NeedsScope('read')
  async unlockStatus(@Ctx() { unlockService }: BillingContext): Promise<UnlockStatus> {
    return unlockView(await unlockService.status());
  }
}
