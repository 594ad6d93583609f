import type { Db } from 'mongodb';
import { buildSubgraph, type SubgraphSchema } from '../../platform/graph/build.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import type { Subgraph } from '../../platform/subgraph.js';
import type { RegistryContext } from './context.js';
import { GENERATORS } from './generator/generator.model.js';
import { GeneratorResolver, referencedGenerator, UserGeneratorsResolver } from './generator/generator.resolver.js';
import { GeneratorService } from './generator/generator.service.js';

export interface RegistryDeps {
  db: Db;
}

export function registrySchema(): Promise<SubgraphSchema> {
  return buildSubgraph<RegistryContext>({
    resolvers: [GeneratorResolver, UserGeneratorsResolver],
    references: {
      ImageGenerator: ({ id }, context) => referencedGenerator(String(id), context),
      User: ({ id }) => ({ id }),
    },
  });
}

export async function createRegistry({ db }: RegistryDeps): Promise<Subgraph> {
  const { schema } = await registrySchema();
  await ensureIndexes(db, [GENERATORS]);
  const generators = new GeneratorService(db);
  return {
    name: 'registry',
    schema,
    context: (scope): RegistryContext => ({ scope, generators, generatorLoader: generators.loader() }),
    tasks: [],
    async ready() {
      await db.command({ ping: 1 });
    },
    async close() {},
  };
}
