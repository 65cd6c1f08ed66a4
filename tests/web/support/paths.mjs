// Where things are. SEATLOCK_BIN and SEATLOCK_NPM name other programs and other packed packages.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const DOCS = join(ROOT, 'docs');

/** @param {string} name */
export function program(name) {
  const file = join(process.env.SEATLOCK_BIN ?? join(ROOT, 'build/release/bin'), name);
  if (!existsSync(file)) throw new Error(`${file} is not there: ./dev build ${name}`);
  return file;
}

/**
 * The packed tarball of a package: `client` or `react`.
 * @param {'client' | 'react'} name
 */
export function tarball(name) {
  const folder = process.env.SEATLOCK_NPM ?? join(ROOT, 'build/npm');
  const file = join(folder, `seatlock-${name}.tgz`);
  if (!existsSync(file)) throw new Error(`${file} is not there: ./dev pack`);
  return file;
}
