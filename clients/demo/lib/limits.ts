// How many calls one address may make: a bucket of tokens each, filled at a steady rate. The table
// of addresses is bounded; the one that called longest ago makes room.

import { BlockList, isIP, isIPv6 } from 'node:net';

const ADDRESSES_MAX = 10_000;

export class RateLimiter {
  /** When each address will have its whole burst again, in ms: all that a bucket needs. */
  readonly #fullAt = new Map<string, number>();
  readonly #tokenMs: number;

  /** @param now the clock in ms, one that never runs backwards */
  constructor(
    perSecond: number,
    readonly burst: number,
    readonly addressesMax = ADDRESSES_MAX,
    readonly now: () => number = () => performance.now(),
  ) {
    this.#tokenMs = 1000 / perSecond;
  }

  /** Takes a token. 0: go ahead; else in how many ms there will be one. */
  take(address: string): number {
    const now = this.now();
    const fullAt = Math.max(now, this.#fullAt.get(address) ?? now);
    const waitMs = fullAt - now - (this.burst - 1) * this.#tokenMs;
    const granted = waitMs <= 0;
    // Out and in again, so that the map is ordered by who called last.
    this.#fullAt.delete(address);
    this.#fullAt.set(address, granted ? fullAt + this.#tokenMs : fullAt);
    this.#makeRoom();
    return granted ? 0 : Math.ceil(waitMs);
  }

  get size(): number {
    return this.#fullAt.size;
  }

  #makeRoom(): void {
    for (const oldest of this.#fullAt.keys()) {
      if (this.#fullAt.size <= this.addressesMax) {
        return;
      }
      this.#fullAt.delete(oldest);
    }
  }
}

/**
 * Networks such as `10.0.0.0/8`, or single addresses, as one list.
 * Throws where one is neither.
 */
export function networks(items: readonly string[]): BlockList {
  const list = new BlockList();
  for (const item of items) {
    const [address = '', prefix] = item.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32)) {
      throw new Error(
        `SEATLOCK_SITE_TRUSTED_PROXIES wants networks like 10.0.0.0/8, not '${item}'`,
      );
    }
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/**
 * Whose call it is: the peer of the connection; behind a proxy that is trusted, the right-most
 * entry of X-Forwarded-For that no trusted proxy is. What stands left of it anybody can write.
 */
export function callerAddress(peer: string, forwardedFor: string, trusted: BlockList): string {
  const hops = forwardedFor.split(',').map((hop) => plain(hop.trim()));
  let address = plain(peer);
  while (isTrusted(address, trusted)) {
    const next = hops.pop();
    if (next === undefined || isIP(next) === 0) {
      break;
    }
    address = next;
  }
  return isIPv6(address) ? firstHalf(address) : address;
}

function isTrusted(address: string, trusted: BlockList): boolean {
  return isIP(address) !== 0 && trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** An IPv4 peer of an IPv6 socket is named ::ffff:1.2.3.4. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/i, '');
}

/** One household has a /64, so its addresses count as one. */
function firstHalf(address: string): string {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
