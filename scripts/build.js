/** `npm run build`: compiles, and puts what is not TypeScript beside the result. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';

const compiled = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
mkdirSync('dist/gateway', { recursive: true });
copyFileSync('gateway/supergraph.graphql', 'dist/gateway/supergraph.graphql');

const web = spawnSync(process.execPath, ['scripts/build-web.js'], { stdio: 'inherit' });
process.exit(web.status ?? 1);
