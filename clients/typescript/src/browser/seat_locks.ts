// The four calls of the site's /api/seat-locks, as a page makes them. Nothing is tried again here:
// whoever shows the seats decides what a lost answer means, by `outcomeUnknown`.

import { isFields, isSeatLocksAnswer } from './frames.js';
import type { SeatLocksAnswer } from './types.js';

export interface SeatLocksOptions {
  /** Default `/api/seat-locks`. */
  readonly url?: string;
  /** For a whole call, its answer read. Default 10,000. */
  readonly timeoutMs?: number;
  /** Default: the page's. */
  readonly fetch?: typeof fetch;
}

/** A seat that stood in the way: `available` (not, or no longer, held), `locked`, `booked` … */
export interface SeatConflict {
  readonly seatId: string;
  readonly status: string;
}

/** What went wrong with a call. Tell errors apart by `code`, never by class. */
export class SeatLocksError extends Error {
  override readonly name = 'SeatLocksError';

  constructor(
    message: string,
    /** HTTP's; 0: no answer came. */
    readonly status: number,
    /** The refusal's reason (`SEAT_TAKEN` …), or `NETWORK`, `TIMEOUT`, `BAD_ANSWER`. */
    readonly code: string,
    /** The call may have been carried out: `get()` or the stream tells. Never true of `get()`. */
    readonly outcomeUnknown: boolean,
    /** The seats that stood in the way, every one. */
    readonly seats: readonly SeatConflict[] = [],
    /** What the server asks for before the next try. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}

/** Every call answers all that the shopper holds, and rejects with `SeatLocksError`. */
export interface SeatLocks {
  get(showtimeId: string): Promise<SeatLocksAnswer>;
  /** All or nothing; `releaseSeatIds` are given up in the same step. */
  lock(
    showtimeId: string,
    seatIds: readonly string[],
    releaseSeatIds?: readonly string[],
  ): Promise<SeatLocksAnswer>;
  unlock(showtimeId: string, seatIds: readonly string[]): Promise<SeatLocksAnswer>;
  /** Without `seatIds` all that the shopper holds. */
  extend(showtimeId: string, seatIds?: readonly string[]): Promise<SeatLocksAnswer>;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export function seatLocks(options: SeatLocksOptions = {}): SeatLocks {
  const { url = '/api/seat-locks', timeoutMs = 10_000 } = options;

  async function call(method: Method, body: object, query = ''): Promise<SeatLocksAnswer> {
    const mutates = method !== 'GET';
    const ended = new AbortController();
    const timer = setTimeout(() => ended.abort(), timeoutMs);
    const request: RequestInit = {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: ended.signal,
    };
    if (mutates) {
      request.headers = { 'content-type': 'application/json' };
      request.body = JSON.stringify(body);
    }
    try {
      const answer = await (options.fetch ?? fetch)(url + query, request);
      return answerOf(answer, await answer.text(), mutates);
    } catch (error) {
      if (error instanceof SeatLocksError) throw error;
      const code = ended.signal.aborted ? 'TIMEOUT' : 'NETWORK';
      throw new SeatLocksError(String(error), 0, code, mutates);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    get: (showtimeId) =>
      call('GET', {}, `${url.includes('?') ? '&' : '?'}${new URLSearchParams({ showtimeId })}`),
    lock: (showtimeId, seatIds, releaseSeatIds) =>
      call('POST', { showtimeId, seatIds, releaseSeatIds }),
    unlock: (showtimeId, seatIds) => call('DELETE', { showtimeId, seatIds }),
    extend: (showtimeId, seatIds) => call('PATCH', { showtimeId, seatIds }),
  };
}

function answerOf({ ok, status, headers }: Response, text: string, mutates: boolean) {
  const body = parse(text);
  if (ok && isSeatLocksAnswer(body)) return body;
  const refusal = !ok && isFields(body) && typeof body.code === 'string' ? body : undefined;
  const code = refusal ? String(refusal.code) : 'BAD_ANSWER';
  // Behind a proxy's own 5xx, or a success that says nothing, the call may have been carried out.
  const unknown = refusal ? code === 'OUTCOME_UNKNOWN' : ok || status >= 500;
  throw new SeatLocksError(
    typeof refusal?.message === 'string' ? refusal.message : `HTTP ${status}`,
    status,
    code,
    mutates && unknown,
    Array.isArray(refusal?.seats) ? refusal.seats.filter(isConflict) : [],
    retryAfterMs(headers.get('retry-after'), headers.get('date')),
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isConflict = (value: unknown): value is SeatConflict =>
  isFields(value) && typeof value.seatId === 'string' && typeof value.status === 'string';

/** Seconds, or a date by the clock of the server, whose answer says its time. */
function retryAfterMs(value: string | null, date: string | null): number | undefined {
  if (value === null) return undefined;
  const now = Date.parse(date ?? '') || Date.now();
  const ms = /^\d+$/.test(value) ? +value * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
