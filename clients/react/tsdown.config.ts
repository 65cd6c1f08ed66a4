import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts' },
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  dts: true,
  clean: true,
  deps: { neverBundle: ['react', 'react-dom', 'react/jsx-runtime', '@seatlock/client'] },
  // Everything here runs in a page, also where a server component imports it. Declarations hold no
  // statements, so they get none.
  banner: { js: "'use client';" },
});
