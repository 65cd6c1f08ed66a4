// What a page pays, minified and gzipped, without React: bundled out of the packed packages as a
// site's bundler would do it.

import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { beforeAll, expect, it } from 'vitest';
import { Project } from '../support/project.mjs';

interface Part {
  readonly name: string;
  readonly imports: string;
  /** Bytes. */
  readonly bar: number;
}

const CORE = "export * from '@seatlock/client';";
const PARTS: readonly Part[] = [
  // 5,000 before pages spread their return and kept the server's clock, whatever the device says;
  // 5,600 before they took turns on an open socket and repeated what the edge had dropped; 5,900
  // before they fetched tokens, in time and without a herd.
  { name: 'browser core', imports: CORE, bar: 6_900 },
  {
    name: 'with the hook',
    imports: `${CORE} export { useWebSocketSeatUpdates } from '@seatlock/react';`,
    bar: 7_400,
  },
  {
    name: 'with SeatSelection',
    imports: `${CORE} export { useWebSocketSeatUpdates, SeatSelection } from '@seatlock/react';`,
    bar: 15_000,
  },
];

let project: Project;
beforeAll(() => {
  project = new Project();
  return () => project.remove();
});

const packed = (bytes: Uint8Array | string) => gzipSync(bytes, { level: 9 }).length;

async function sizeOf(imports: string): Promise<number> {
  const built = await build({
    stdin: { contents: imports, resolveDir: project.folder, loader: 'js' },
    external: ['react', 'react-dom', 'react/jsx-runtime'],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  return packed(built.outputFiles[0]?.contents ?? '');
}

/** The parts that are above their bars, in words. */
async function tooLarge(parts: readonly Part[]): Promise<string[]> {
  const lines = [];
  for (const { name, imports, bar } of parts) {
    const bytes = await sizeOf(imports);
    if (bytes > bar) lines.push(`${name}: ${bytes} B, at most ${bar} B`);
  }
  return lines;
}

it('every part is within its bar', async () => {
  const rows = [];
  for (const { name, imports, bar } of PARTS) {
    rows.push(`${name.padEnd(20)} ${String(await sizeOf(imports)).padStart(6)} B of ${bar} B`);
  }
  const styles = project.path('node_modules/@seatlock/react/dist/styles.css');
  const css = await build({ entryPoints: [styles], minify: true, write: false });
  rows.push(`${'styles.css'.padEnd(20)} ${packed(css.outputFiles[0]?.contents ?? '')} B`);
  console.log(`minified, gzip -9, without React:\n${rows.join('\n')}`);
  expect(await tooLarge(PARTS)).toEqual([]);
});

it('finds a part that is one byte above its bar', async () => {
  const lowered = [];
  for (const part of PARTS) lowered.push({ ...part, bar: (await sizeOf(part.imports)) - 1 });
  expect(await tooLarge(lowered)).toHaveLength(PARTS.length);
});

it('bundles no React', async () => {
  const react = readFileSync(project.path('node_modules/@seatlock/react/dist/index.js'), 'utf8');
  expect(react).toMatch(/from ?["']react["']/);
  expect(react).not.toContain('__SECRET_INTERNALS');
});
