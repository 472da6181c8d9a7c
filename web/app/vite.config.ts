/** Builds the page that the server serves: relative addresses, nothing inline, and the API reference beside it. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { apiReference } from './docs.plugin.js';

const beside = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  base: './',
  plugins: [react(), apiReference()],
  resolve: {
    conditions: ['prosa-source', 'module', 'browser', 'development|production'],
    alias: {
      // The browsers that are built for have it themselves.
      '@ungap/structured-clone': beside('src/clone.ts'),
      // Reads styles that are written as text; what is drawn of Markdown has none.
      'style-to-object': beside('src/unstyled.ts'),
    },
  },
  build: {
    // The stylesheets use light-dark() as it is.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    modulePreload: { polyfill: false },
    // A data: URL where a file was meant would need a laxer policy.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: { '/api': process.env.PROSA_SERVER ?? 'http://127.0.0.1:8000' },
  },
});
