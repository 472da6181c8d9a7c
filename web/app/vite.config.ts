/** Builds the page that the server serves: relative addresses, nothing inline, and the API reference beside it. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { apiReference } from './docs.plugin.js';

export default defineConfig({
  base: './',
  plugins: [react(), apiReference()],
  resolve: {
    conditions: ['prosa-source', 'module', 'browser', 'development|production'],
    // The browsers that are built for have it themselves.
    alias: { '@ungap/structured-clone': fileURLToPath(new URL('src/clone.ts', import.meta.url)) },
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
