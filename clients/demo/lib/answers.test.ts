import { expect, test } from 'vitest';
import { refuse, refuseError, STATUS } from './answers';

// As the contract has them; by hand, so that a change of the table shows.
const EXPECTED: Record<string, number> = {
  INVALID_FIELD: 400,
  REQUEST_ID_REUSED: 400,
  UNKNOWN_SEAT: 404,
  UNKNOWN_ORDER: 404,
  ORDER_CANCELLED: 409,
  ORDER_MISMATCH: 409,
  NOTHING_HELD: 409,
  SEAT_TAKEN: 409,
  NOT_LOCK_HOLDER: 409,
  STALE_FENCE: 409,
  SESSION_SEAT_LIMIT: 409,
  ORDER_SEAT_LIMIT: 409,
  EXTEND_LIMIT: 409,
  LOCK_EXPIRED: 409,
  SNAPSHOT_TOO_LARGE: 409,
  OVERLOADED: 429,
  RATE_LIMITED: 429,
  STORE_UNAVAILABLE: 503,
  OUTCOME_UNKNOWN: 503,
  DRAINING: 503,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 503,
};

/** What the Node client throws; told apart by its fields alone. */
function failure(reason: string, more: object = {}): Error {
  return Object.assign(new Error(`${reason}: as the service says it`), {
    name: 'SeatLockError',
    reason,
    code: 9,
    metadata: {},
    conflicts: [],
    fieldViolations: [],
    outcome: 'none',
    ...more,
  });
}

test.each(Object.entries(EXPECTED))('%s is %i', async (reason, status) => {
  const response = refuseError(failure(reason));
  expect(response.status).toBe(status);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const body = await response.json();
  expect(Object.keys(body)).toEqual(['code', 'message', 'seats']);
  expect(body.code).toBe(reason);
  expect(body.message).not.toBe('');
  const retries = status === 429 || status === 503;
  expect(response.headers.get('retry-after')).toBe(retries ? '1' : null);
});

test('every seat in the way is named, with what it is and nothing more', async () => {
  const conflicts = [
    { seatId: 'A06', status: 'locked', reason: 'SEAT_TAKEN' },
    { seatId: 'A07', status: 'booked', reason: 'SEAT_TAKEN' },
  ];
  const { seats } = await refuseError(failure('SEAT_TAKEN', { conflicts })).json();
  expect(seats).toEqual([
    { seatId: 'A06', status: 'locked' },
    { seatId: 'A07', status: 'booked' },
  ]);
});

test('where it may have been done, that is what is said', async () => {
  const response = refuseError(failure('DEADLINE_EXCEEDED', { outcome: 'unknown' }));
  expect(response.status).toBe(503);
  expect((await response.json()).code).toBe('OUTCOME_UNKNOWN');
});

test('a failure after a change is no refusal of it', async () => {
  const response = refuseError(failure('UNAVAILABLE'), true);
  expect(response.status).toBe(503);
  expect((await response.json()).code).toBe('OUTCOME_UNKNOWN');
});

test('a reason that is not known is an absent service, not a crash', async () => {
  for (const reason of ['SOMETHING_NEW', 'toString']) {
    const response = refuseError(failure(reason));
    expect(response.status).toBe(503);
    expect((await response.json()).code).toBe('UNAVAILABLE');
  }
});

test('the wait that the service asks for is passed on in whole seconds', () => {
  const response = refuseError(failure('OVERLOADED', { retryAfterMs: 2_100 }));
  expect(response.headers.get('retry-after')).toBe('3');
});

test('what is no word of SeatLock is thrown on', () => {
  expect(() => refuseError(new TypeError('a mistake of ours'))).toThrow('a mistake of ours');
});

test("the site's own codes stand in the table too", () => {
  for (const code of ['FORBIDDEN_ORIGIN', 'UNKNOWN_SHOWTIME', 'BODY_TOO_LARGE', 'JSON_ONLY']) {
    expect(refuse(code, 'why').status).toBe(STATUS[code]);
  }
});
