// Tests of @seatlock/react, on the sources of @seatlock/client. SEATLOCK_REACT=18 runs them on the
// oldest React that the package works with.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// What is CommonJS finds its React by itself, so the testing library's ESM is taken.
const react18 = [
  ...['react-dom', 'react'].map((name) => ({
    find: new RegExp(`^${name}(/.*)?$`),
    replacement: `${here(`../../tests/web/node_modules/${name}`)}$1`,
  })),
  {
    find: /^@testing-library\/react$/,
    replacement: here(
      '../../node_modules/@testing-library/react/dist/@testing-library/react.esm.js',
    ),
  },
];

export default defineConfig({
  resolve: {
    alias: [
      { find: '@seatlock/client/testing', replacement: here('../typescript/src/testing/index.ts') },
      { find: '@seatlock/client', replacement: here('../typescript/src/browser/index.ts') },
      ...(process.env.SEATLOCK_REACT === '18' ? react18 : []),
    ],
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/testing/setup.ts'],
    testTimeout: 30_000,
    server: { deps: { inline: [/@testing-library/] } },
  },
});
