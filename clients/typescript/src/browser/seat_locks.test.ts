// The calls of /api/seat-locks: what is sent, what an answer is, what went wrong.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeSeatServer } from '../testing/index.js';
import { SeatLocksError, type SeatLocksOptions, seatLocks } from './index.js';

const answer = { sessionId: 'me', seats: [], revision: 3, serverTime: 5 };

/** A site that answers all alike, and remembers what it was asked. */
function site(response: () => Response | Promise<Response>) {
  const fetch = vi.fn<typeof globalThis.fetch>(async () => response());
  return { fetch, locks: seatLocks({ fetch }) };
}

const json = (body: unknown, status = 200, headers = {}) =>
  Response.json(body, { status, headers });

async function failure(call: Promise<unknown>): Promise<SeatLocksError> {
  const error: unknown = await call.then(
    () => 'it succeeded',
    (reason: unknown) => reason,
  );
  if (!(error instanceof SeatLocksError)) throw new Error(`no SeatLocksError: ${error}`);
  return error;
}

describe('requests', () => {
  test.each([
    ['GET', '/api/seat-locks?showtimeId=a+b%26c', undefined],
    ['POST', '/api/seat-locks', { showtimeId: '1', seatIds: ['A01'], releaseSeatIds: ['A02'] }],
    ['DELETE', '/api/seat-locks', { showtimeId: '1', seatIds: ['A01'] }],
    ['PATCH', '/api/seat-locks', { showtimeId: '1' }],
  ])('%s %s', async (method, url, body) => {
    const { fetch, locks } = site(() => json(answer));
    const calls = {
      GET: () => locks.get('a b&c'),
      POST: () => locks.lock('1', ['A01'], ['A02']),
      DELETE: () => locks.unlock('1', ['A01']),
      PATCH: () => locks.extend('1'),
    };
    expect(await calls[method as keyof typeof calls]()).toEqual(answer);
    const [calledUrl, init] = fetch.mock.calls[0] ?? [];
    expect(calledUrl).toBe(url);
    expect(init).toMatchObject({ method, credentials: 'same-origin', cache: 'no-store' });
    expect(init?.body && JSON.parse(String(init.body))).toEqual(body);
    expect(new Headers(init?.headers).get('content-type')).toBe(body ? 'application/json' : null);
  });

  test('AUrlMayHaveAQueryOfItsOwn', async () => {
    const fetch = vi.fn<typeof globalThis.fetch>(async () => json(answer));
    await seatLocks({ fetch, url: '/locks?site=2' }).get('1');
    expect(fetch.mock.calls[0]?.[0]).toBe('/locks?site=2&showtimeId=1');
  });

  test('ThePagesFetchIsLookedUpAtEachCall', async () => {
    const locks = seatLocks();
    const undo = new FakeSeatServer({ sessionId: 'me' }).install();
    expect((await locks.get('1')).sessionId).toBe('me');
    undo();
  });
});

describe('refusals', () => {
  test('NameEverySeatAndDidNothing', async () => {
    const seats = [
      { seatId: 'A01', status: 'locked' },
      { seatId: 'A02', status: 'booked' },
    ];
    const { locks } = site(() => json({ code: 'SEAT_TAKEN', message: 'taken', seats }, 409));
    const error = await failure(locks.lock('1', ['A01', 'A02']));
    expect(error).toMatchObject({ name: 'SeatLocksError', status: 409, code: 'SEAT_TAKEN', seats });
    expect(error).toMatchObject({ message: 'taken', outcomeUnknown: false });
    expect(error.retryAfterMs).toBeUndefined();
  });

  test.each([
    ['2', 2_000],
    [new Date(Date.UTC(2030, 0, 1, 0, 0, 3)).toUTCString(), 3_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
  ])('RetryAfter %s', async (value, expected) => {
    vi.spyOn(Date, 'now').mockReturnValue(Date.UTC(2030, 0, 1));
    const refused = { code: 'DRAINING', message: '', seats: [] };
    const { locks } = site(() => json(refused, 503, { 'retry-after': value }));
    expect((await failure(locks.get('1'))).retryAfterMs).toBe(expected);
    vi.restoreAllMocks();
  });

  test.each([-3_600_000, 3_600_000])(
    'RetryAfterADateIsByTheServersClockIfThisOneIsWrongBy%iMs',
    async (byMs) => {
      vi.spyOn(Date, 'now').mockReturnValue(Date.UTC(2030, 0, 1) + byMs);
      const refused = { code: 'DRAINING', message: '', seats: [] };
      const { locks } = site(() =>
        json(refused, 503, {
          date: 'Tue, 01 Jan 2030 00:00:00 GMT',
          'retry-after': 'Tue, 01 Jan 2030 00:00:07 GMT',
        }),
      );
      expect((await failure(locks.get('1'))).retryAfterMs).toBe(7_000);
      vi.restoreAllMocks();
    },
  );

  test.each([
    ['OUTCOME_UNKNOWN', true],
    ['STORE_UNAVAILABLE', false],
    ['DRAINING', false],
  ])('503 %s: outcome unknown %s', async (code, unknown) => {
    const { locks } = site(() => json({ code, message: '', seats: [] }, 503));
    expect((await failure(locks.lock('1', ['A01']))).outcomeUnknown).toBe(unknown);
    expect((await failure(locks.get('1'))).outcomeUnknown).toBe(false);
  });

  test('ConflictsOfAnotherShapeAreLeftOut', async () => {
    const seats = [{ seatId: 'A01', status: 'locked' }, { seatId: 7 }, null];
    const { locks } = site(() => json({ code: 'SEAT_TAKEN', seats }, 409));
    const error = await failure(locks.lock('1', ['A01']));
    expect(error.seats).toEqual([{ seatId: 'A01', status: 'locked' }]);
    expect(error.message).toBe('HTTP 409');
  });
});

describe('what is no answer', () => {
  test.each([
    ['a page', () => new Response('<html>', { status: 200 }), true],
    ['another shape', () => json({ ...answer, seats: {} }), true],
    ['a proxy of its own mind', () => new Response('Bad Gateway', { status: 502 }), true],
    ['a proxy that refused', () => new Response('Forbidden', { status: 403 }), false],
  ])('%s is BAD_ANSWER', async (_, response, unknown) => {
    const { locks } = site(response);
    const error = await failure(locks.unlock('1', ['A01']));
    expect(error).toMatchObject({ code: 'BAD_ANSWER', status: response().status, seats: [] });
    expect(error.outcomeUnknown).toBe(unknown);
  });

  test('NoNetworkIsNetworkAndUnknownForWhatWrites', async () => {
    const { locks } = site(() => Promise.reject(new TypeError('fetch failed')));
    const written = await failure(locks.lock('1', ['A01']));
    expect(written).toMatchObject({ code: 'NETWORK', status: 0, outcomeUnknown: true });
    expect(await failure(locks.get('1'))).toMatchObject({ code: 'NETWORK', outcomeUnknown: false });
  });
});

describe('timeouts', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each<[SeatLocksOptions, number]>([
    [{}, 10_000],
    [{ timeoutMs: 300 }, 300],
  ])('%j: after %i ms', async (options, ms) => {
    const server = new FakeSeatServer();
    server.failNextCall('hang');
    let error: SeatLocksError | undefined;
    const call = failure(seatLocks({ ...options, fetch: server.fetch }).lock('1', ['A01']));
    void call.then((one) => {
      error = one;
    });
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(error).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(error).toMatchObject({ code: 'TIMEOUT', status: 0, outcomeUnknown: true });
  });

  test('AnAnswerLeavesNoTimer', async () => {
    await site(() => json(answer)).locks.get('1');
    expect(vi.getTimerCount()).toBe(0);
  });
});
