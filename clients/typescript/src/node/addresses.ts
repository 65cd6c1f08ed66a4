// The list of servers, and what its names stand for. An address is a server's identity, which all
// callers rank alike: HOST:PORT as it was given, or ADDRESS:PORT for each address of a name that
// has several. Such a name is looked up again now and then, without anybody waiting for it.

import { isIP } from 'node:net';

/** One server of the list. */
export interface Target {
  /** Its identity, which is also what is dialled. */
  readonly address: string;
  /** The name that it was found by, which its certificate must show. Undefined: its address. */
  readonly host: string | undefined;
}

/** Every address of a name, in any order; rejects if there is none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export const SERVERS_MAX = 64; // as in the edge and the C++ client
/** How long a call waits for the first lookup; after it the channels look names up themselves. */
export const LOOKUP_MS_MAX = 1_000;
const LOOKUP_EVERY_MS = 30_000;
// While a server is away its name may have got another address, as with a container's restart.
const LOOKUP_EVERY_AWAY_MS = 1_000;

interface Entry {
  readonly address: string;
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;
const HOST_PORT = /^(?:\[([^\]]+)\]|([^\s:[\]/]+)):(\d{1,5})$/;

function entryOf(value: unknown, place: number): Entry {
  const bad = (why: string) => new TypeError(`servers[${place}]: ${why}, not '${String(value)}'`);
  if (typeof value !== 'string') throw bad('must be HOST:PORT');
  const [, bracketed, plain, digits] = HOST_PORT.exec(value) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || (bracketed !== undefined && isIP(bracketed) !== 6)) {
    throw bad('must be HOST:PORT, such as 127.0.0.1:50051 or [::1]:50051');
  }
  const port = Number(digits);
  if (port < 1 || port > PORT_MAX) throw bad('the port must be 1 to 65535');
  return { address: value, host, port };
}

/** Whether an address is NAME:PORT, so that it may stand for several servers. */
export function isNamePort(address: string): boolean {
  const [, , name, digits] = HOST_PORT.exec(address) ?? [];
  const port = Number(digits);
  return name !== undefined && !isIP(name) && port >= 1 && port <= PORT_MAX;
}

/** The servers of an option, or a TypeError or RangeError that says what is wrong with them. */
export function entriesOf(servers: unknown): Entry[] {
  if (!Array.isArray(servers) || servers.length === 0) {
    throw new TypeError('servers must be an array of one HOST:PORT or more');
  }
  if (servers.length > SERVERS_MAX) {
    throw new RangeError(`servers must be at most ${SERVERS_MAX}, not ${servers.length}`);
  }
  const entries = servers.map(entryOf);
  const seen = new Set<string>();
  for (const { address } of entries) {
    const same = address.toLowerCase();
    if (seen.has(same)) throw new TypeError(`servers: '${address}' is there twice`);
    seen.add(same);
  }
  return entries;
}

function targetsOf({ address, host, port }: Entry, found: readonly string[]): Target[] {
  const several = [...new Set(found)];
  // A name with one address stays itself, so it keeps its rank when that address changes.
  if (several.length < 2) return [{ address, host: undefined }];
  return several.map((ip) => ({
    address: isIP(ip) === 6 ? `[${ip}]:${port}` : `${ip}:${port}`,
    host,
  }));
}

export class Addresses {
  readonly #entries: readonly Entry[];
  readonly #lookup: Lookup;
  readonly #now: () => number;
  /** What each name was last found to be; a name that cannot be found keeps what it had. */
  readonly #found = new Map<string, readonly string[]>();
  #underWay = false;
  #lookedUpAt = Number.NEGATIVE_INFINITY;

  /** Throws if `servers` is no list of servers. */
  constructor(servers: unknown, lookup: Lookup, now: () => number) {
    this.#entries = entriesOf(servers);
    this.#lookup = lookup;
    this.#now = now;
  }

  /** The servers as they are known now: at most `SERVERS_MAX`, each once. */
  targets(): Target[] {
    const all = new Map<string, Target>();
    for (const entry of this.#entries) {
      for (const target of targetsOf(entry, this.#found.get(entry.host) ?? [])) {
        if (!all.has(target.address)) all.set(target.address, target);
      }
    }
    // Above the bound the same ones for every caller, whatever order its resolver has.
    const sorted = [...all.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
    return sorted.slice(0, SERVERS_MAX);
  }

  /**
   * Looks the names up if it is time, and gives `take` the servers then; undefined if it is not
   * time, or a lookup is under way. Never rejects.
   */
  refresh(someAway: boolean, take: (targets: Target[]) => void): Promise<void> | undefined {
    const hosts = new Set(this.#entries.map(({ host }) => host).filter((host) => !isIP(host)));
    const every = someAway ? LOOKUP_EVERY_AWAY_MS : LOOKUP_EVERY_MS;
    const early = this.#now() - this.#lookedUpAt < every;
    if (hosts.size === 0 || this.#underWay || early) return undefined;
    this.#underWay = true;
    return Promise.all([...hosts].map((host) => this.#find(host))).then(() => {
      this.#underWay = false;
      this.#lookedUpAt = this.#now();
      take(this.targets());
    });
  }

  async #find(host: string): Promise<void> {
    try {
      this.#found.set(host, await this.#lookup(host));
    } catch {
      // The channel looks the name up itself, and its failure says what is wrong with it.
    }
  }
}
