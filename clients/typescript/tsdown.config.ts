import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: {
    index: 'src/browser/index.ts',
    node: 'src/node/index.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'es2022',
  platform: 'neutral',
  dts: true,
  clean: true,
  // The wire format's runtime is small and ours alone uses it, so it is bundled: installing the
  // package brings nothing else.
  deps: { alwaysBundle: ['@bufbuild/protobuf/wire'], neverBundle: ['@grpc/grpc-js', /^node:/] },
});
