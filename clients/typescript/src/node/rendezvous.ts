// Which of several servers a showtime prefers: rendezvous hashing, counted exactly as
// common/base/rendezvous.h does, which has the reasons. Both are tested with the same vectors.
// Pure functions.

const UINT32 = 2 ** 32;
const UINT64_MASK = 0xffff_ffff_ffff_ffffn;
const FNV_OFFSET = { high: 0xcbf29ce4, low: 0x84222325 } as const;
const FNV_PRIME_LOW = 0x1b3; // the prime is 2^40 + 0x1b3

/** FNV-1a, 64 bits, in two halves: a BigInt a byte would cost ten times as much. */
function fnv1a(bytes: Uint8Array): bigint {
  let { high, low }: { high: number; low: number } = FNV_OFFSET;
  for (const byte of bytes) {
    const mixed = (low ^ byte) >>> 0;
    const product = mixed * FNV_PRIME_LOW; // below 2^41
    const carry = Math.floor(product / UINT32);
    high = (Math.imul(high, FNV_PRIME_LOW) + carry + (mixed << 8)) >>> 0;
    low = product >>> 0;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

/** How much `showtimeId` prefers `server`, as 64 bits without a sign. */
export function rendezvousScore(server: string, showtimeId: string): bigint {
  let hash = fnv1a(Buffer.from(`${server}\0${showtimeId}`, 'utf8'));
  hash = ((hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn) & UINT64_MASK;
  hash = ((hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n) & UINT64_MASK;
  return hash ^ (hash >> 33n);
}

/** The places in `servers`, the most preferred first. Equal scores: in the addresses' order. */
export function rankServers(servers: readonly string[], showtimeId: string): number[] {
  const scored = servers.map((server, place) => ({
    server,
    place,
    score: rendezvousScore(server, showtimeId),
  }));
  scored.sort((a, b) => {
    if (a.score !== b.score) return a.score > b.score ? -1 : 1;
    return a.server < b.server ? -1 : 1;
  });
  return scored.map(({ place }) => place);
}
