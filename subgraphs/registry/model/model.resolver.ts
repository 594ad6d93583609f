import { Args, Ctx, Query, Resolver } from 'type-graphql';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { decodeCursor, encodeCursor, pageSize } from '../../../platform/mongo/page.js';
import type { RegistryContext } from '../context.js';
import { SYSTEM_TIERS } from './entry.js';
import { ImageModel, ImageModelConnection, modelView } from './model.type.js';

@Resolver(() => ImageModel)
export class ModelResolver {
  @Query(() => ImageModelConnection, {
    description: 'The models that generators can be deployed with, by name: their prices, sizes and parameters.',
  })
  models(@Args(() => ConnectionArgs) page: ConnectionArgs, @Ctx() { models }: RegistryContext): Connection<ImageModel> {
    const size = pageSize(page);
    const after = page.after ? decodeCursor(page.after) : '';
    const rest = models.all().filter(({ slug }) => slug > after);
    const serving = SYSTEM_TIERS.map((tier) => ({ tier, model: models.tier(tier) }));
    return toConnection(
      { items: rest.slice(0, size), cursorOf: ({ slug }) => encodeCursor(slug), hasNextPage: rest.length > size },
      (model) =>
        modelView(model, {
          available: models.isAvailable(model),
          tiers: serving.filter((each) => each.model === model).map(({ tier }) => tier),
        }),
    );
  }
}
