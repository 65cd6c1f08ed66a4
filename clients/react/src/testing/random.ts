// Randomness that a seed repeats, and a network that it makes bad.

export type Random = () => number;

/** Numbers in [0, 1): mulberry32. */
export function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const later = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/**
 * A fetch over a bad network: requests and answers are late by up to `lateMs`, out of order, and
 * `lossRate` of them lost. A lost request may still be carried out, up to 2 s after the page was
 * told of the loss. Reads are late, and never lost: whoever cannot ask is told so, which is another
 * test.
 */
export function badNetwork(
  fetch: typeof globalThis.fetch,
  random: Random,
  { lateMs, lossRate }: { readonly lateMs: number; readonly lossRate: number },
): typeof globalThis.fetch {
  return async (input, init) => {
    const lost = init?.method !== 'GET' && random() < lossRate;
    // The page's time limit is not for what a lost request does.
    const request = { ...init, signal: null };
    await later(random() * lateMs);
    if (!lost) {
      const answer = await fetch(input, request);
      await later(random() * lateMs);
      return answer;
    }
    const fate = random();
    if (fate < 0.4) await fetch(input, request);
    else if (fate < 0.7) void later(random() * 2_000).then(() => fetch(input, request));
    await later(random() * lateMs);
    throw new TypeError('the network lost it');
  };
}
