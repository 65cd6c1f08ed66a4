// The token of one connection: fetched by the page's function, one call at a time, and again
// before it ends. All showtimes of the connection share it.

import { between } from './backoff.js';
import { isFields } from './frames.js';
import type { TokenFunction } from './types.js';

/**
 * | phase    | a token | its timer                               | then                |
 * |----------|---------|-----------------------------------------|---------------------|
 * | `none`   | no      | none                                    |                     |
 * | `spread` | no      | up to 3 s, as others may ask just now   | `asked`             |
 * | `asked`  | maybe   | 10 s for the page's function            | `kept`, or `failed` |
 * | `failed` | maybe   | a pause that grows with the failures    | `asked`             |
 * | `kept`   | yes     | before its end, while somebody needs it | `asked`             |
 *
 * Only the very first token is asked for at once. `hurry()` shortens `spread` and `failed`.
 */
type Phase = 'none' | 'spread' | 'asked' | 'failed' | 'kept';

/** Over which a crowd that needs new tokens asks for them: of 1,000 pages a third a second. */
const SPREAD_MS = 3_000;
const ANSWER_MS_MAX = 10_000;
/** The span of the pause after the first failure, doubled with each one up to the greatest. */
const PAUSE_MS = 2_000;
const PAUSE_MS_MAX = 60_000;
/**
 * The part of its life after which a token is fetched anew: pages that got theirs in the same
 * second do not ask again in the same second.
 */
const REFRESH_FROM = 0.7;
const REFRESH_TO = 0.9;
/** However short tokens live. */
const REFRESH_MS_MIN = 1_000;
/** For tokens that have ended when they come, which the edge may take all the same. */
const REFRESH_ENDED_MS = 30_000;
/** What setTimeout takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** A subscribe has at most 4 KiB, and ids and a position beside its token. */
const TOKEN_CHARS_MAX = 3_072;

export interface TokenEvents {
  /** The page's function is called. */
  asked(): void;
  /** There is a fresh one. */
  fetched(): void;
  /** The page's function failed; the next call is at `retryAt`, Unix ms of this machine. */
  failed(message: string, retryAt: number): void;
}

export interface Tokens {
  /** The function to call from now on. */
  use(fetchToken: TokenFunction): void;
  /** What a subscribe carries. */
  current(): string | undefined;
  /** False: there is none, or it has ended by now; `want()` one. */
  ready(): boolean;
  /** Asks for one, if that is not under way. */
  want(): void;
  /** The edge takes it no more. */
  discard(): void;
  /** Whoever waits for a token asks within so many ms. */
  hurry(spreadMs: number): void;
  /** Tokens are needed: fetches the next one before the end. `serverNow`: Unix ms. */
  keepFresh(serverNow: number): void;
  /** Nothing is fetched any more, until it is wanted. What is under way is forgotten. */
  rest(): void;
}

export function tokenKeeper(first: TokenFunction, events: TokenEvents): Tokens {
  let fetchToken = first;
  let phase: Phase = 'none';
  let timer: ReturnType<typeof setTimeout> | undefined;
  let token: string | undefined;
  /** When it ends, Unix ms by the clock of whoever made it. */
  let endsAt = Number.POSITIVE_INFINITY;
  /** The server's clock less the monotonic one; undefined: not heard yet, so nothing has ended. */
  let ahead: number | undefined;
  /** Calls so far. */
  let asked = 0;
  /** In a row. */
  let failures = 0;
  /** The next token is fetched ahead. */
  let needed = false;

  const leftMs = () => (ahead === undefined ? endsAt : endsAt - performance.now() - ahead);

  function enter(next: Phase, ms?: number, then?: () => void): void {
    clearTimeout(timer);
    phase = next;
    if (then && ms !== undefined) timer = setTimeout(then, Math.min(ms, TIMER_MS_MAX));
  }

  function ask(): void {
    const call = ++asked;
    enter('asked', ANSWER_MS_MAX, () => fail(call, `no token within ${ANSWER_MS_MAX} ms`));
    events.asked();
    // A function that throws is one that rejects.
    new Promise<string>((resolve) => resolve(fetchToken())).then(
      (answer) => take(call, answer),
      (error: unknown) => fail(call, String(error)),
    );
  }

  function take(call: number, answer: unknown): void {
    if (call !== asked || phase !== 'asked') return;
    if (typeof answer !== 'string' || !answer || answer.length > TOKEN_CHARS_MAX) {
      fail(call, `token() must give a string of 1 to ${TOKEN_CHARS_MAX} characters`);
      return;
    }
    failures = 0;
    token = answer;
    endsAt = endOf(answer);
    enter('kept');
    plan();
    events.fetched();
  }

  function fail(call: number, message: string): void {
    if (call !== asked || phase !== 'asked') return;
    const span = Math.min(PAUSE_MS * 2 ** failures++, PAUSE_MS_MAX);
    const ms = between(span / 2, span);
    enter('failed', ms, ask);
    events.failed(message, Math.round(Date.now() + ms));
  }

  function plan(): void {
    if (phase !== 'kept') return;
    if (!needed || endsAt === Number.POSITIVE_INFINITY) {
      enter('kept');
      return;
    }
    const ms = leftMs();
    const due = between(ms * REFRESH_FROM, ms * REFRESH_TO);
    enter('kept', ms > 0 ? Math.max(due, REFRESH_MS_MIN) : REFRESH_ENDED_MS, ask);
  }

  function forget(): void {
    token = undefined;
    if (phase === 'kept') enter('none');
  }

  return {
    use(newer) {
      fetchToken = newer;
    },
    current: () => token,
    ready() {
      if (token !== undefined && leftMs() <= 0) forget();
      return token !== undefined;
    },
    want() {
      if (phase !== 'none') return;
      if (asked) enter('spread', between(0, SPREAD_MS), ask);
      else ask();
    },
    discard: forget,
    hurry(spreadMs) {
      if (phase === 'spread' || phase === 'failed') enter(phase, between(0, spreadMs), ask);
    },
    keepFresh(serverNow) {
      ahead = serverNow - performance.now();
      needed = true;
      plan();
    },
    rest() {
      needed = false;
      enter(token === undefined ? 'none' : 'kept');
    },
  };
}

/**
 * `exp` of a JWT, in Unix ms; Infinity: it does not say. Nothing else of it is looked at, and
 * nothing but the time of the next fetch hangs on it: the edge alone judges tokens.
 */
function endOf(jwt: string): number {
  try {
    const payload = jwt.split('.')[1] ?? '';
    const claims: unknown = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/')));
    if (isFields(claims) && typeof claims.exp === 'number') return claims.exp * 1_000;
  } catch {
    // Not a JWT that can be read: the edge will say what it thinks of it.
  }
  return Number.POSITIVE_INFINITY;
}
