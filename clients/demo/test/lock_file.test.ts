import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const LOCK = new URL('../package-lock.json', import.meta.url);

test('the lock file fixes no hash of our own packages, which change with each build', () => {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8'));
  for (const name of ['client', 'react']) {
    const entry = packages[`node_modules/@seatlock/${name}`];
    expect(entry.resolved).toBe(`file:../../build/npm/seatlock-${name}.tgz`);
    expect(entry, '`npm install` wrote it: take the line out again').not.toHaveProperty(
      'integrity',
    );
  }
});
