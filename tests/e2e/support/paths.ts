// Where the repository's files are, wherever the tests were started.
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../../', import.meta.url);

export function repositoryPath(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** A built C++ program; SEATLOCK_BIN says where they are. */
export function binary(name: 'seatlockd' | 'seatlock-edge' | 'seatctl'): string {
  const folder = process.env.SEATLOCK_BIN ?? repositoryPath('build/release/bin');
  return `${folder}/${name}`;
}
