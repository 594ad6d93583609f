/** `npm run schema`: writes what is made from the code into the tree: schemas, supergraph, the page of errors. */
import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { SUBGRAPH_NAMES } from '../platform/subgraph.js';
import { errorsPage } from './errors.js';
import { composeSupergraph } from './supergraph.js';

const { subgraphs, supergraph } = await composeSupergraph();
await Promise.all([
  ...SUBGRAPH_NAMES.map((name) => writeFile(`subgraphs/${name}/schema.graphql`, subgraphs[name])),
  writeFile('gateway/supergraph.graphql', supergraph),
  writeFile('docs/errors.md', errorsPage()),
]);
process.stdout.write('wrote the schemas of the subgraphs, gateway/supergraph.graphql and docs/errors.md\n');
