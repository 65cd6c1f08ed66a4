// How many calls one address may make: a bucket of tokens each, filled at a steady rate. The table
// of addresses is bounded; the one that called longest ago makes room.

import { BlockList, isIP, isIPv6 } from 'node:net';

const ADDRESSES_MAX = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();

  /** @param now the clock in ms, one that never runs backwards */
  constructor(
    readonly perSecond: number,
    readonly burst: number,
    readonly addressesMax = ADDRESSES_MAX,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** Takes a token. 0: go ahead; else in how many ms there will be one. */
  take(address: string): number {
    const now = this.now();
    const known = this.#buckets.get(address);
    const tokens = known === undefined ? this.burst : this.#filled(known, now);
    const granted = tokens >= 1;
    // Out and in again, so that the map is ordered by who called last.
    this.#buckets.delete(address);
    this.#buckets.set(address, { tokens: granted ? tokens - 1 : tokens, at: now });
    this.#makeRoom();
    return granted ? 0 : Math.ceil(((1 - tokens) / this.perSecond) * 1000);
  }

  get size(): number {
    return this.#buckets.size;
  }

  #filled(bucket: Bucket, now: number): number {
    return Math.min(this.burst, bucket.tokens + ((now - bucket.at) / 1000) * this.perSecond);
  }

  #makeRoom(): void {
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= this.addressesMax) {
        return;
      }
      this.#buckets.delete(oldest);
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
