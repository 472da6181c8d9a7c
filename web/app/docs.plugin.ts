/** Puts the API reference into the build, so that the server's /docs loads nothing from elsewhere. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';

const VIEWER = ['swagger-ui-bundle.js', 'swagger-ui.css'];
const OURS = ['index.html', 'docs.js'];

export function apiReference(): Plugin {
  return {
    name: 'prosa-api-reference',
    apply: 'build',
    async generateBundle() {
      const require = createRequire(import.meta.url);
      const viewer = dirname(require.resolve('swagger-ui-dist/package.json'));
      const ours = join(import.meta.dirname, 'docs');
      const files = [...VIEWER.map(name => join(viewer, name)), ...OURS.map(name => join(ours, name))];
      for (const file of files) {
        const fileName = `docs/${file.slice(file.lastIndexOf('/') + 1)}`;
        this.emitFile({ type: 'asset', fileName, source: await readFile(file) });
      }
    },
  };
}
