// One worker and one file at a time: each test measures, or stops programs of its own, and the
// browser has both cores.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) =>
  fileURLToPath(new URL(`../../clients/typescript/src/${path}`, import.meta.url));

export default defineConfig({
  // The fake server as it is here, not as it was packed last.
  resolve: { alias: { '@seatlock/client/testing': source('testing/index.ts') } },
  test: {
    include: ['*.test.ts'],
    globalSetup: ['support/global_setup.ts'],
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
});
