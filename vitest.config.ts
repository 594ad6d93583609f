import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Vite would otherwise load a second copy of graphql beside the one that the federation packages load.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['./test/setup.ts'],
    // The embedded MongoDB engine can be opened once in a process, so each test file gets a process of its own.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    unstubEnvs: true,
    expect: { poll: { timeout: 20_000 } },
  },
});
