// Every setting of the site, read from the environment when it is asked for, never at build time,
// so that one build serves everywhere.

export interface UpstreamTls {
  readonly caFile: string;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

export interface SiteEnv {
  /** `SEATLOCK_SITE_DB`: the SQLite file of films, halls and orders [./var/site.db]. */
  readonly database: string;
  /** `SEATLOCK_SITE_UPSTREAM`: seatlockd's gRPC, HOST:PORT, or several [127.0.0.1:50051]. */
  readonly upstream: readonly string[];
  /**
   * `SEATLOCK_SITE_UPSTREAM_CA`, and if the service asks callers for a certificate
   * `SEATLOCK_SITE_UPSTREAM_CERT` and `SEATLOCK_SITE_UPSTREAM_KEY`: PEM files, which are read anew
   * when they change [plaintext].
   */
  readonly upstreamTls: UpstreamTls | undefined;
  /** `WEBSOCKET_SERVER_URL`: the edge as browsers reach it [the page's host, /ws/seat-updates]. */
  readonly webSocketUrl: string | undefined;
  /** `SEATLOCK_COOKIE_SECRET`: signs cookies, 32 characters or more [kept beside the database]. */
  readonly cookieSecret: string | undefined;
  /**
   * `SEATLOCK_TOKEN_JWKS`: the file of keys that the edge's `--token-jwks` names. Pages then follow
   * by tokens, which are signed with the first HS256 key of it [pages follow without].
   */
  readonly tokenKeys: string | undefined;
  /** `SEATLOCK_DEMO_SHOPPERS=1`: `?as=NAME` makes another shopper. For demos alone [off]. */
  readonly demoShoppers: boolean;
  /** `SEATLOCK_HOLD_TTL_MS`: how long a seat is held, in ms [the service's: 10 minutes]. */
  readonly holdTtlMs: number | undefined;
  /** `SEATLOCK_SITE_MAX_SEATS`: seats that one shopper may hold in a showtime [10]. */
  readonly maxSeats: number;
  /** `SEATLOCK_SITE_RATE`, `SEATLOCK_SITE_BURST`: API calls of one address [20 a second, 60]. */
  readonly ratePerSecond: number;
  readonly rateBurst: number;
  /** `SEATLOCK_SITE_TRUSTED_PROXIES`: whose X-Forwarded-For counts: 10.0.0.0/8,::1 [none]. */
  readonly trustedProxies: readonly string[];
  /** `SEATLOCK_SITE_ORIGINS`: origins that the site is also known by: https://a.example [none]. */
  readonly origins: readonly string[];
}

type Source = Readonly<Record<string, string | undefined>>;

/** Throws where a value is bad, naming the variable. */
export function siteEnv(source: Source = process.env): SiteEnv {
  return {
    database: text(source, 'SEATLOCK_SITE_DB') ?? './var/site.db',
    upstream: hostPorts(source, 'SEATLOCK_SITE_UPSTREAM') ?? ['127.0.0.1:50051'],
    upstreamTls: upstreamTls(source),
    webSocketUrl: webSocketUrl(source, 'WEBSOCKET_SERVER_URL'),
    cookieSecret: secret(source, 'SEATLOCK_COOKIE_SECRET'),
    tokenKeys: text(source, 'SEATLOCK_TOKEN_JWKS'),
    demoShoppers: flag(source, 'SEATLOCK_DEMO_SHOPPERS'),
    holdTtlMs: whole(source, 'SEATLOCK_HOLD_TTL_MS', 1_000, 7_200_000),
    maxSeats: whole(source, 'SEATLOCK_SITE_MAX_SEATS', 1, 100) ?? 10,
    ratePerSecond: whole(source, 'SEATLOCK_SITE_RATE', 1, 100_000) ?? 20,
    rateBurst: whole(source, 'SEATLOCK_SITE_BURST', 1, 1_000_000) ?? 60,
    trustedProxies: list(source, 'SEATLOCK_SITE_TRUSTED_PROXIES'),
    origins: list(source, 'SEATLOCK_SITE_ORIGINS').map((item) => origin(item)),
  };
}

/** An empty variable is one that is not set. */
function text(source: Source, name: string): string | undefined {
  return source[name]?.trim() || undefined;
}

const SERVERS_MAX = 64; // what the client takes

function hostPorts(source: Source, name: string): string[] | undefined {
  const value = text(source, name);
  const items = value?.split(',').map((item) => item.trim());
  if (items?.every(isHostPort) === false) {
    throw new Error(`${name} wants HOST:PORT, or several with commas between, not '${value}'`);
  }
  if (items !== undefined && (items.length > SERVERS_MAX || new Set(items).size < items.length)) {
    throw new Error(`${name} wants at most ${SERVERS_MAX} servers, each once, not '${value}'`);
  }
  return items;
}

function isHostPort(item: string): boolean {
  const port = Number(/^(?:\[[\da-fA-F:.]+\]|[^\s:,[\]/]+):(\d{1,5})$/.exec(item)?.[1]);
  return port >= 1 && port <= 65_535;
}

function upstreamTls(source: Source): UpstreamTls | undefined {
  const caFile = text(source, 'SEATLOCK_SITE_UPSTREAM_CA');
  const certFile = text(source, 'SEATLOCK_SITE_UPSTREAM_CERT');
  const keyFile = text(source, 'SEATLOCK_SITE_UPSTREAM_KEY');
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new Error('SEATLOCK_SITE_UPSTREAM_CERT and SEATLOCK_SITE_UPSTREAM_KEY go together');
  }
  if (caFile === undefined) {
    if (certFile === undefined) return undefined;
    throw new Error('SEATLOCK_SITE_UPSTREAM_CERT needs SEATLOCK_SITE_UPSTREAM_CA');
  }
  return { caFile, certFile, keyFile };
}

function webSocketUrl(source: Source, name: string): string | undefined {
  const value = text(source, name);
  if (value !== undefined && !(URL.canParse(value) && /^wss?:\/\//.test(value))) {
    throw new Error(`${name} wants ws://HOST/ws/seat-updates or wss://…, not '${value}'`);
  }
  return value;
}

function secret(source: Source, name: string): string | undefined {
  const value = text(source, name);
  if (value !== undefined && value.length < 32) {
    throw new Error(`${name} wants 32 characters or more: openssl rand -hex 32`);
  }
  return value;
}

function flag(source: Source, name: string): boolean {
  const value = text(source, name) ?? '0';
  if (value !== '0' && value !== '1') {
    throw new Error(`${name} wants 0 or 1, not '${value}'`);
  }
  return value === '1';
}

function whole(source: Source, name: string, min: number, max: number): number | undefined {
  const value = text(source, name);
  if (value === undefined) {
    return undefined;
  }
  const number = Number(value);
  if (!Number.isInteger(number) || number < min || number > max) {
    throw new Error(`${name} wants a whole number from ${min} to ${max}, not '${value}'`);
  }
  return number;
}

function list(source: Source, name: string): string[] {
  const items = (text(source, name) ?? '').split(',').map((item) => item.trim());
  return items.filter((item) => item !== '');
}

function origin(value: string): string {
  if (!URL.canParse(value) || !/^https?:\/\//.test(value)) {
    throw new Error(`SEATLOCK_SITE_ORIGINS wants origins like https://a.example, not '${value}'`);
  }
  return new URL(value).origin;
}
