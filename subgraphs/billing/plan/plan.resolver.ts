import { Query, Resolver } from 'type-graphql';
import { allPacks, allPlans, CreditPack, Plan } from './plan.type.js';

@Resolver()
export class PlanResolver {
  @Query(() => [Plan], { description: 'The plans there are. No credentials needed.' })
  plans(): Plan[] {
    return allPlans();
  }

  @Query(() => [CreditPack], { description: 'The packs of credits there are. No credentials needed.' })
  creditPacks(): CreditPack[] {
    return allPacks();
  }
}
