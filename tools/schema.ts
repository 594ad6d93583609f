/** `npm run schema`: writes the emitted schemas and the supergraph into the tree. */
import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { SUBGRAPH_NAMES } from '../platform/subgraph.js';
import { composeSupergraph } from './supergraph.js';

const { subgraphs, supergraph } = await composeSupergraph();
await Promise.all([
  ...SUBGRAPH_NAMES.map((name) => writeFile(`subgraphs/${name}/schema.graphql`, subgraphs[name])),
  writeFile('gateway/supergraph.graphql', supergraph),
]);
process.stdout.write('wrote the schemas of the subgraphs and gateway/supergraph.graphql\n');
