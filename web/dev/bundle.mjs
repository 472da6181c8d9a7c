/** Bundles a file for a test in a browser, with the packages of this workspace: `node dev/bundle.mjs entry.tsx out.js`. */

import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('..', import.meta.url));
// Vite is a dependency of the app.
const { build } = await import(createRequire(join(WEB, 'app/package.json')).resolve('vite'));
const [entry, out] = process.argv.slice(2).map(path => resolve(path));

await build({
  root: dirname(entry),
  configFile: false,
  logLevel: 'error',
  define: { 'process.env.NODE_ENV': '"production"' },
  resolve: {
    conditions: ['prosa-source', 'module', 'browser', 'production'],
    alias: Object.fromEntries(
      ['react', 'react-dom', '@prosa/core', '@prosa/react'].map(name => [
        name,
        join(WEB, 'node_modules', name),
      ]),
    ),
  },
  build: {
    outDir: dirname(out),
    emptyOutDir: false,
    lib: { entry, formats: ['iife'], name: 'bundle', fileName: () => basename(out) },
  },
});
