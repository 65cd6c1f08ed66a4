// The site of clients/demo as it was built, under Node itself, so that its process id is the one
// that is ended.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryPath } from './paths.js';
import { Program } from './program.js';

// SEATLOCK_SITE: another copy of it, built.
const SITE = process.env.SEATLOCK_SITE ?? repositoryPath('clients/demo');
const NEXT = join(SITE, 'node_modules/next/dist/bin/next');

export interface SiteOptions {
  readonly port: number;
  /** seatlockd's gRPC, HOST:PORT. */
  readonly upstream: string;
  readonly database: string;
  /** The edge as pages reach it; without it, on their own host. */
  readonly webSocketUrl?: string;
  /** Further settings: see clients/demo/lib/env.ts. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What is missing of the built site; empty: nothing. */
export function missingOfSite(): string[] {
  return [NEXT, join(SITE, '.next/BUILD_ID')].filter((path) => !existsSync(path));
}

export function siteProgram(options: SiteOptions): Program {
  const { port, upstream, database, webSocketUrl = '', env } = options;
  return new Program({
    name: 'the site',
    command: process.execPath,
    args: [NEXT, 'start', '-H', '127.0.0.1', '-p', String(port)],
    cwd: SITE,
    env: {
      NODE_ENV: 'production',
      NEXT_TELEMETRY_DISABLED: '1',
      SEATLOCK_SITE_UPSTREAM: upstream,
      SEATLOCK_SITE_DB: database,
      SEATLOCK_DEMO_SHOPPERS: '1',
      // The tests are one address, and faster than people.
      SEATLOCK_SITE_RATE: '1000',
      SEATLOCK_SITE_BURST: '10000',
      WEBSOCKET_SERVER_URL: webSocketUrl,
      ...env,
    },
    readyUrl: `http://127.0.0.1:${port}/`,
  });
}
