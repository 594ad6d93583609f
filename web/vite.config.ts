import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** 'use client' and 'use no memo' speak to compilers that are not used here; slowness is the machine's. */
const QUIET = new Set(['MODULE_LEVEL_DIRECTIVE', 'PLUGIN_TIMINGS']);

/** The reference indents JSON by eight columns, then widens the first two, and has no setting for either. */
const indentByTwo: Plugin = {
  name: 'indent-by-two',
  transform: {
    filter: { id: /openapi-explorer\/dist\/es\// },
    handler: (code) => code.replaceAll(', null, 8)', ', null, 2)').replace("/^\\s{2}/g, '    '", "/^\\s{2}/g, '  '"),
  },
};

export default defineConfig({
  root: at('.'),
  base: '/',
  publicDir: false,
  logLevel: 'warn',
  plugins: [indentByTwo],
  resolve: {
    // GraphQL.js refuses to mix two copies of itself, and React keeps its hooks in module state.
    dedupe: ['graphql', 'react', 'react-dom', 'monaco-editor'],
    alias: [{ find: /^monaco-editor\/esm\/vs\/editor\/edcore\.main\.js$/, replacement: at('explorer/monaco.ts') }],
  },
  worker: { format: 'es' },
  build: {
    outDir: at('../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL for a font or a script would need a hole in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      input: { explorer: at('explorer/index.html'), docs: at('docs/index.html') },
      onLog(level, log, handle) {
        if (!QUIET.has(log.code ?? '')) handle(level, log);
      },
    },
  },
});
