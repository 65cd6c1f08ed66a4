// Starts the site: reads every setting and opens the database, so that a bad value or a file that
// cannot be opened ends it with one clear line, and not a shopper's request.

import { db } from './db';
import { siteEnv } from './env';
import { networks } from './limits';
import { markPeers } from './peer';
import { cookieSecret } from './secret';

export function start(): void {
  try {
    networks(siteEnv().trustedProxies);
    cookieSecret();
    db();
  } catch (error) {
    console.error(`the site cannot start: ${error instanceof Error ? error.message : error}`);
    process.exit(2);
  }
  markPeers();
}
