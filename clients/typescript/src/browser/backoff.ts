// When to come back: even jitter above a floor, over a span that grows with the outage. However
// many pages lost their edge together, only so many of them come back in the same moment.

import type { ComeBack } from './close_codes.js';

const MOST_MS = 20_000;
/** Keeps an edge that refuses from being asked in a busy loop. */
const FLOOR_MS = 100;
const SPAN_MS = 1_000;
/** Of the outage so far, at least: a crowd that is away for long tries less often. */
const SHARE = 1 / 2;
/**
 * After 4100–4199: the edge asked for a pause, and asked many at the same moment. Of 200 pages over
 * this span, 100 ms hardly ever get more than a tenth.
 */
const ASKED_FLOOR_MS = 500;
const ASKED_SPAN_MS = 3_000;
/** A socket that was open for this long worked: what was before it is forgotten. */
const WORKED_MS = 10_000;
/** Times to come back at once between two that worked: an edge may send away whom it just took. */
const AT_ONCE_MAX = 3;
/**
 * What an edge that refuses a showtime may ask for, and what counts if it says nothing. With the
 * jitter below the minute in which the edge wants a socket's first subscribe.
 */
const RETRY_MS_MAX = 30_000;
const RETRY_JITTER_MS_MAX = 25_000;
const RETRY_MS = 1_000;

export interface Pause {
  readonly ms: number;
  /** Nothing but the user's own `reconnect()` makes it shorter than this. */
  readonly leastMs: number;
}

/** Counts the outage of one connection, which begins with its first attempt. */
export interface ComeBacks {
  opened(): void;
  /** The edge answered a subscribe. */
  live(): void;
  /** The socket was lost, or did not open: how long to wait for the next attempt. */
  lost(back: ComeBack): Pause;
}

export function comeBacks(): ComeBacks {
  /** How long no socket was open up to `lostAt`, since one worked. */
  let outageMs = 0;
  let lostAt = performance.now();
  /** When the socket opened; undefined: none is open. */
  let openAt: number | undefined;
  /**
   * Came back at once and was not live since: back off the second time, or two draining edges send
   * a client back and forth.
   */
  let hurried = false;
  /** Times it came back at once since a socket worked. */
  let hurries = 0;

  return {
    opened() {
      openAt = performance.now();
      outageMs += openAt - lostAt;
    },
    live() {
      hurried = false;
    },
    lost(back) {
      const now = performance.now();
      if (openAt !== undefined) {
        if (now - openAt >= WORKED_MS) outageMs = hurries = 0;
        lostAt = now;
        openAt = undefined;
      }
      const again = hurried;
      if (back === 'at once') {
        hurried = true;
        if (!again && hurries++ < AT_ONCE_MAX) return { ms: 0, leastMs: 0 };
      }
      const asked = back === 'after a pause';
      const leastMs = asked ? ASKED_FLOOR_MS : FLOOR_MS;
      const soFarMs = Math.min(outageMs + now - lostAt, MOST_MS);
      const mostMs = Math.max(asked ? ASKED_SPAN_MS : SPAN_MS, soFarMs);
      return { ms: between(Math.max(leastMs, soFarMs * SHARE), mostMs), leastMs };
    },
  };
}

/** How long to wait after a refusal that asked for `askedMs`: no less than that, if it is sane. */
export function retryMs(askedMs: number | undefined): number {
  const ms = askedMs && askedMs > 0 ? Math.min(askedMs, RETRY_MS_MAX) : RETRY_MS;
  const jitterMs = Math.min(Math.max(ms, SPAN_MS), RETRY_JITTER_MS_MAX);
  return between(Math.max(ms, FLOOR_MS), ms + jitterMs);
}

/** A time between the two, evenly, in whole ms. */
export function between(leastMs: number, mostMs: number): number {
  return Math.round(leastMs + Math.random() * (mostMs - leastMs));
}
