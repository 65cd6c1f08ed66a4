// The site's database: one SQLite file, opened at the first use, made and filled if it is new.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import { siteEnv } from './env';
import { SCHEMA } from './schema';
import { seed } from './seed';
import { shared } from './shared';

export type Db = Database.Database;

const SCHEMA_VERSION = 1;

export function db(): Db {
  return shared('db', () => openDb(siteEnv().database));
}

/** Opens `path`, or a database in memory for `:memory:`. Filling it again changes nothing. */
export function openDb(path: string): Db {
  if (path !== ':memory:') {
    mkdirSync(dirname(path), { recursive: true });
  }
  const opened = new Database(path);
  opened.pragma('journal_mode = WAL');
  opened.pragma('busy_timeout = 5000');
  opened.pragma('foreign_keys = ON');
  // Immediate, so that of two processes that start at once the second waits and finds it done.
  opened.transaction(() => migrate(opened)).immediate();
  return opened;
}

function migrate(opened: Db): void {
  const { version } = one<{ version: number }>(
    opened,
    'SELECT user_version AS version FROM pragma_user_version',
  ) ?? { version: 0 };
  if (version > SCHEMA_VERSION) {
    throw new Error(`the database is of a newer site (schema ${version}): update the site`);
  }
  if (version === SCHEMA_VERSION) {
    return;
  }
  opened.exec(SCHEMA);
  seed(opened);
  opened.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/** The rows of a query. Columns are as the statement names them; `Row` is trusted. */
export function all<Row>(opened: Db, sql: string, ...values: (string | number)[]): Row[] {
  return opened.prepare(sql).all(...values) as Row[];
}

export function one<Row>(opened: Db, sql: string, ...values: (string | number)[]): Row | undefined {
  return opened.prepare(sql).get(...values) as Row | undefined;
}
