/** `npm run schema`: writes into the tree what is made from the code: schemas, supergraph, errors, table of variables. */
import 'reflect-metadata';
import { readFile, writeFile } from 'node:fs/promises';
import { configTable } from '../platform/config.js';
import { SUBGRAPH_NAMES } from '../platform/subgraph.js';
import { coveragePage } from './coverage.js';
import { errorsPage } from './errors.js';
import { composeSupergraph } from './supergraph.js';

const { subgraphs, supergraph } = await composeSupergraph();
await Promise.all([
  ...SUBGRAPH_NAMES.map((name) => writeFile(`subgraphs/${name}/schema.graphql`, subgraphs[name])),
  writeFile('gateway/supergraph.graphql', supergraph),
  writeFile('docs/errors.md', errorsPage()),
  writeFile('docs/coverage.md', coveragePage()),
  writeFile('README.md', withConfigTable(await readFile('README.md', 'utf8'))),
]);
process.stdout.write(
  'wrote the schemas of the subgraphs, gateway/supergraph.graphql, docs/errors.md, docs/coverage.md and the README’s table\n',
);

/** The one table of the README that begins with a variable. */
function withConfigTable(readme: string): string {
  return readme.replace(/\| variable \|(?:.*\n)(?:\|.*\n)*/, () => `${configTable({}).trimEnd()}\n`);
}
