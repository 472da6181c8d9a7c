/** How the tests of every package are run: in happy-dom, against the packages' sources. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['prosa-source'] },
  ssr: { resolve: { conditions: ['prosa-source'] } },
  test: {
    environment: 'happy-dom',
    include: ['packages/*/tests/**/*.test.{ts,tsx}', 'app/tests/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    testTimeout: 20_000,
    // A test that starves on a busy machine may try once more; the summary says which did.
    retry: 1,
  },
});
