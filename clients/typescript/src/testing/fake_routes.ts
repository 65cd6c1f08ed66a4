// The fake server's /api/seat-locks: what a site's routes answer, as the shopper of the cookie.

import type { SeatLocksAnswer } from '../browser/types.js';
import { FakeRefusal, type FakeShowtime } from './fake_showtime.js';

/** One call of /api/seat-locks, as it came. */
export interface FakeCall {
  readonly method: string;
  readonly url: string;
  /** The fields of query and body together. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const HTTP_STATUS: Readonly<Record<string, number>> = { INVALID_FIELD: 400 };

/** Carries a call out: 200 with all that the shopper holds, or the refusal as JSON. */
export function answerCall(
  { method, fields }: FakeCall,
  showtimeOf: (showtimeId: string) => FakeShowtime,
  sessionId: string,
  ttlMs: number,
): Response {
  if (typeof fields.showtimeId !== 'string') return refusal(400, 'INVALID_FIELD', 'showtimeId');
  const showtime = showtimeOf(fields.showtimeId);
  const seatIds = idsOf(fields.seatIds ?? fields.seatId);
  const held = () => showtime.locksOf(sessionId).map((lock) => lock.seatId);
  try {
    if (method === 'POST') {
      showtime.lock(needed(seatIds), sessionId, ttlMs, idsOf(fields.releaseSeatIds) ?? []);
    }
    if (method === 'PATCH') showtime.extend(seatIds ?? held(), sessionId, ttlMs);
    if (method === 'DELETE') showtime.unlock(needed(seatIds), sessionId);
  } catch (error) {
    if (!(error instanceof FakeRefusal)) throw error;
    return refusal(HTTP_STATUS[error.code] ?? 409, error.code, error.message, error.seats);
  }
  const { revision } = showtime;
  const seats = showtime.locksOf(sessionId);
  const answer: SeatLocksAnswer = { sessionId, seats, revision, serverTime: showtime.clock() };
  return Response.json(answer);
}

export function refusal(
  status: number,
  code: string,
  message = code,
  seats: readonly { readonly seatId: string; readonly status: string }[] = [],
): Response {
  const headers = status === 503 ? { 'retry-after': '1' } : {};
  return Response.json({ code, message, seats }, { status, headers });
}

export async function callOf(input: RequestInfo | URL, init?: RequestInit): Promise<FakeCall> {
  const request = typeof Request !== 'undefined' && input instanceof Request ? input : undefined;
  const url = new URL(request?.url ?? String(input), 'http://fake.test');
  const body = request ? await request.text() : init?.body;
  const fields = { ...Object.fromEntries(url.searchParams), ...parsed(body) };
  const method = (init?.method ?? request?.method ?? 'GET').toUpperCase();
  return { method, url: url.pathname + url.search, fields };
}

function parsed(body: unknown): object {
  return typeof body === 'string' && body ? (JSON.parse(body) as object) : {};
}

function idsOf(value: unknown): string[] | undefined {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.map(String) : undefined;
}

function needed(seatIds: string[] | undefined): string[] {
  if (!seatIds?.length) throw new FakeRefusal('INVALID_FIELD', []);
  return seatIds;
}
