/** Composes the four subgraphs. Composition is a build step: its package is not needed to run. */
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { SUBGRAPH_NAMES, type SubgraphName } from '../platform/subgraph.js';
import { accountsSchema } from '../subgraphs/accounts/subgraph.js';
import { billingSchema } from '../subgraphs/billing/subgraph.js';
import { imagesSchema } from '../subgraphs/images/subgraph.js';
import { registrySchema } from '../subgraphs/registry/subgraph.js';

export interface Composition {
  subgraphs: Record<SubgraphName, string>;
  supergraph: string;
}

export async function composeSupergraph(): Promise<Composition> {
  const subgraphs: Record<SubgraphName, string> = {
    accounts: (await accountsSchema()).sdl,
    registry: (await registrySchema()).sdl,
    images: (await imagesSchema()).sdl,
    billing: (await billingSchema()).sdl,
  };
  const { supergraphSdl, errors } = composeServices(
    // Where a subgraph answers is configuration; the address in the file only has to be one.
    SUBGRAPH_NAMES.map((name) => ({ name, url: `http://${name}.invalid/graphql`, typeDefs: parse(subgraphs[name]) })),
  );
  if (!supergraphSdl) throw new AggregateError(errors ?? [], errors?.map(({ message }) => message).join('\n'));
  const withNewline = (sdl: string) => `${sdl.trimEnd()}\n`;
  for (const name of SUBGRAPH_NAMES) subgraphs[name] = withNewline(subgraphs[name]);
  return { subgraphs, supergraph: withNewline(supergraphSdl) };
}
