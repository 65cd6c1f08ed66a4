// The key that signs cookies: from the environment, or a random one kept in a file beside the
// database, so that shoppers keep their seats when the site restarts.

import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { siteEnv } from './env';
import { shared } from './shared';

export function cookieSecret(): string {
  return shared('secret', () => {
    const env = siteEnv();
    return env.cookieSecret ?? secretInFile(`${env.database}.secret`);
  });
}

/** The file's key; makes the file if there is none. Two processes that both do get the same key. */
export function secretInFile(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, randomBytes(32).toString('hex'), { mode: 0o600 });
  try {
    // A link appears whole or not at all, and never over one that is there.
    linkSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      throw error;
    }
  } finally {
    rmSync(draft);
  }
  const secret = readFileSync(path, 'utf8').trim();
  if (secret.length < 32) {
    throw new Error(`${path} should hold 32 characters or more: remove it, and a new one is made`);
  }
  return secret;
}
