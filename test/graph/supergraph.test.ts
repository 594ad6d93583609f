import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { SUBGRAPH_NAMES } from '../../platform/subgraph.js';
import { errorsPage } from '../../tools/errors.js';
import { composeSupergraph } from '../../tools/supergraph.js';

it('the checked-in schemas are those of the code; npm run schema writes them', async () => {
  const { subgraphs, supergraph } = await composeSupergraph();
  for (const name of SUBGRAPH_NAMES) {
    expect(await readFile(`subgraphs/${name}/schema.graphql`, 'utf8'), name).toBe(subgraphs[name]);
  }
  expect(await readFile('gateway/supergraph.graphql', 'utf8')).toBe(supergraph);
});

it('so is the page of errors', async () => {
  expect(await readFile('docs/errors.md', 'utf8')).toBe(errorsPage());
});
