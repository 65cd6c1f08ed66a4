// The site's own tests. Vitest stands in the workspace above: `npx vitest run` works here.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { '@': fileURLToPath(new URL('.', import.meta.url)) } },
  test: {
    include: ['app/**/*.test.ts', 'lib/**/*.test.ts', 'test/**/*.test.ts'],
    fileParallelism: false,
  },
});
