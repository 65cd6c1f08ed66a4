// How long to wait before the next attempt: full jitter, so that the many clients of an edge that
// went away do not come back together.

const FIRST_MS = 500;
const MOST_MS = 20_000;

/** Full jitter may say 0; this much keeps a refusing server from being asked in a busy loop. */
export const FLOOR_MS = 100;

/** The pause before attempt number `attempt` (from 0), in ms; never less than `atLeastMs`. */
export function backoffMs(attempt: number, atLeastMs = FLOOR_MS): number {
  return Math.max(atLeastMs, Math.random() * Math.min(MOST_MS, FIRST_MS * 2 ** attempt));
}
