// What a call does with answers that a real service gives rarely: retries, doubt, deadlines.

import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSeatLockClient, type SeatLockClient } from './client.js';
import { isSeatLockError, type SeatLockError } from './errors.js';
import { BadRequest } from './gen/google/rpc/error_details.js';
import type { LockSeatResponse } from './gen/seatlock/v1/seatlock_service.js';
import { SeatConflicts, SeatStatus } from './gen/seatlock/v1/seats.js';
import {
  detail,
  gone,
  granted,
  info,
  type LockAnswer,
  type LockCall,
  refusal,
  retryIn,
  ScriptedService,
} from './test/scripted_service.js';

const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SEAT = { showtimeId: '123', seatId: 'A06', sessionId: 'alice' };

let service: ScriptedService;
let client: SeatLockClient;

function connect(options: { attemptMs?: number; deadlineMs?: number; retries?: number } = {}) {
  client?.close();
  client = createSeatLockClient({
    address: service.address,
    retries: 3,
    backoffMs: { first: 1, max: 2 },
    deadlineMs: 10_000,
    attemptMs: 5_000,
    ...options,
  });
}

async function failureOf(call: Promise<unknown>): Promise<SeatLockError> {
  const failure: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!isSeatLockError(failure)) throw new Error(`not a SeatLockError: ${String(failure)}`);
  return failure;
}

beforeEach(async () => {
  service = await ScriptedService.start();
  connect();
});
afterEach(() => {
  client.close();
  service.stop();
});

test('a mutation gets a request id', async () => {
  service.scriptLocks(granted());
  await client.lockSeat(SEAT);
  expect(service.locks.map((request) => request.requestId)).toEqual([expect.stringMatching(UUID4)]);
});

test('the request id of the caller is kept', async () => {
  service.scriptLocks(granted());
  await client.lockSeat({ ...SEAT, requestId: 'mine' });
  expect(service.locks[0]?.requestId).toBe('mine');
});

test('an empty request id is none', async () => {
  service.scriptLocks(granted());
  await client.lockSeat({ ...SEAT, requestId: '' });
  expect(service.locks[0]?.requestId).toMatch(UUID4);
});

test('UNAVAILABLE with an unknown outcome is retried as the same request', async () => {
  const unknown = refusal(status.UNAVAILABLE, info('OUTCOME_UNKNOWN', { outcome: 'unknown' }));
  service.scriptLocks(unknown, gone, granted());
  const { revision, lock } = await client.lockSeat(SEAT);
  expect(revision).toBe(7);
  expect(lock.expireTime).toEqual(new Date(9e11));
  expect(service.locks).toHaveLength(3);
  expect(new Set(service.locks.map((request) => request.requestId)).size).toBe(1);
});

test('an attempt without an answer is retried as the same request', async () => {
  service.scriptLocks(() => undefined, granted());
  connect({ attemptMs: 100 });
  await client.lockSeat(SEAT);
  expect(service.locks).toHaveLength(2);
  expect(service.locks[0]?.requestId).toBe(service.locks[1]?.requestId);
});

test('a stream that was reset is retried', async () => {
  service.scriptLocks(
    { code: status.INTERNAL, details: 'Received RST_STREAM with code 2' },
    granted(),
  );
  await client.lockSeat(SEAT);
  expect(service.locks).toHaveLength(2);
});

test('retries are bounded', async () => {
  service.scriptLocks(gone);
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error).toMatchObject({
    reason: 'UNAVAILABLE',
    code: status.UNAVAILABLE,
    outcome: 'unknown',
  });
  expect(service.locks).toHaveLength(4);
  expect(error.requestId).toBe(service.locks[0]?.requestId);
});

test('the deadline ends the retries, and leaves a mutation in doubt', async () => {
  service.scriptLocks(() => undefined);
  const error = await failureOf(client.lockSeat(SEAT, { deadlineMs: 200 }));
  expect(error).toMatchObject({ reason: 'DEADLINE_EXCEEDED', outcome: 'unknown' });
});

test('a pause that the service asks for is taken before the next attempt', async () => {
  const asked = 300;
  const times: number[] = [];
  const overloaded = refusal(status.RESOURCE_EXHAUSTED, info('OVERLOADED'), retryIn(asked));
  const timed = (answer: typeof overloaded | LockSeatResponse) => () => {
    times.push(performance.now());
    return answer;
  };
  service.scriptLocks(timed(overloaded), timed(granted()));
  await client.lockSeat(SEAT);
  expect(times).toHaveLength(2);
  // Timers may fire up to a millisecond early.
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(asked - 1);
});

test('a pause beyond the deadline is not taken', async () => {
  service.scriptLocks(
    refusal(status.UNAVAILABLE, info('DRAINING', { outcome: 'none' }), retryIn(3.6e6)),
  );
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error).toMatchObject({ reason: 'DRAINING', retryAfterMs: 3.6e6, outcome: 'none' });
  expect(service.locks).toHaveLength(1);
});

test('RESOURCE_EXHAUSTED without a pause to take is not retried', async () => {
  service.scriptLocks(refusal(status.RESOURCE_EXHAUSTED, info('RATE_LIMITED')));
  expect(await failureOf(client.lockSeat(SEAT))).toMatchObject({
    reason: 'RATE_LIMITED',
    outcome: 'none',
  });
  expect(service.locks).toHaveLength(1);
});

const NOTHING_DONE = refusal(status.UNAVAILABLE, info('DRAINING', { outcome: 'none' }));

test.each([
  ['no connection', gone],
  [
    'an unknown outcome',
    refusal(status.UNAVAILABLE, info('OUTCOME_UNKNOWN', { outcome: 'unknown' })),
  ],
  ['no answer', () => undefined],
])('%s is not forgotten by a later attempt that did nothing', async (_, first) => {
  connect({ retries: 1, attemptMs: 100 });
  service.scriptLocks(first, NOTHING_DONE);
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error).toMatchObject({
    reason: 'DRAINING',
    outcome: 'unknown',
    metadata: { outcome: 'unknown' },
  });
  expect(error.message).toBe('DRAINING: refused; an earlier attempt may have happened');
});

test('nothing happened where every attempt did nothing', async () => {
  service.scriptLocks(NOTHING_DONE);
  expect((await failureOf(client.lockSeat(SEAT))).outcome).toBe('none');
  expect(service.locks).toHaveLength(4);
});

test('a refusal settles what may have happened', async () => {
  service.scriptLocks(gone, refusal(status.FAILED_PRECONDITION, info('SEAT_TAKEN')));
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error).toMatchObject({ reason: 'SEAT_TAKEN', outcome: 'none' });
});

test('a refusal is thrown at once with all its details', async () => {
  const conflicts = [
    { seatId: 'A06', status: SeatStatus.BOOKED, reason: 'SEAT_TAKEN' },
    { seatId: 'A07', status: 9 as SeatStatus, reason: 'SEAT_TAKEN' },
  ];
  const fieldViolations = [{ field: 'ttl', description: 'must be 1 s to 2 h' }];
  service.scriptLocks(
    refusal(
      status.FAILED_PRECONDITION,
      info('SEAT_TAKEN', { limit: '1' }),
      detail('seatlock.v1.SeatConflicts', SeatConflicts, { conflicts }),
      detail('google.rpc.BadRequest', BadRequest, { fieldViolations }),
    ),
  );
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error).toMatchObject({
    reason: 'SEAT_TAKEN',
    code: 9,
    metadata: { limit: '1' },
    fieldViolations,
  });
  expect(error.conflicts).toEqual([
    { seatId: 'A06', status: 'booked', reason: 'SEAT_TAKEN' },
    { seatId: 'A07', status: 'unspecified', reason: 'SEAT_TAKEN' },
  ]);
  expect(service.locks).toHaveLength(1);
});

test('details that are none are ignored', async () => {
  const broken = refusal(status.PERMISSION_DENIED);
  broken.metadata?.set('grpc-status-details-bin', Buffer.from('\xff\xff garbage', 'latin1'));
  service.scriptLocks(broken);
  expect(await failureOf(client.lockSeat(SEAT))).toMatchObject({
    reason: 'PERMISSION_DENIED',
    conflicts: [],
    outcome: 'none',
  });
});

test('an answer with a revision that no number can hold fails, and in doubt', async () => {
  service.scriptLocks(granted((2n ** 53n) as unknown as number));
  const error = await failureOf(client.lockSeat(SEAT));
  expect(error).toMatchObject({ reason: 'INTERNAL', outcome: 'unknown' });
  expect(error.message).toContain('MAX_SAFE_INTEGER');
  expect(service.locks).toHaveLength(1);
});

test('a signal ends a call that waits for an answer', async () => {
  const abort = new AbortController();
  service.scriptLocks(() => {
    abort.abort('enough');
    return undefined;
  });
  const error = await failureOf(client.lockSeat(SEAT, { signal: abort.signal }));
  expect(error).toMatchObject({ reason: 'CANCELLED', cause: 'enough', outcome: 'unknown' });
  expect(service.locks).toHaveLength(1);
});

test('a signal ends the pause before the next attempt', async () => {
  const abort = new AbortController();
  service.scriptLocks(() => {
    setImmediate(() => setTimeout(() => abort.abort(), 50));
    return refusal(status.UNAVAILABLE, info('DRAINING', { outcome: 'none' }), retryIn(9_000));
  });
  const error = await failureOf(client.lockSeat(SEAT, { signal: abort.signal }));
  expect(error).toMatchObject({ reason: 'CANCELLED', outcome: 'none' });
});

test('a signal that has aborted sends nothing', async () => {
  service.scriptLocks(granted());
  const error = await failureOf(client.lockSeat(SEAT, { signal: AbortSignal.abort() }));
  expect(error).toMatchObject({ reason: 'CANCELLED', outcome: 'none' });
  expect(service.locks).toHaveLength(0);
});

test('one signal serves many calls and watches', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const { signal } = new AbortController();
  service.scriptLocks(granted());
  for (let i = 0; i < 20; ++i) client.watchShowtime({ showtimeId: '123' }, { signal });
  await Promise.all(Array.from({ length: 20 }, () => client.lockSeat(SEAT, { signal })));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

test('calls after close fail clearly', async () => {
  client.close();
  expect(await failureOf(client.lockSeat(SEAT))).toMatchObject({
    reason: 'CLIENT_CLOSED',
    outcome: 'none',
  });
  expect(() => client.watchShowtime({ showtimeId: '123' })).toThrow('the client was closed');
});

test('a service that is not there is UNAVAILABLE', async () => {
  service.stop();
  expect(await failureOf(client.getShowtime({ showtimeId: '123' }))).toMatchObject({
    reason: 'UNAVAILABLE',
    outcome: 'none',
  });
});

test('every attempt carries the trace that the call belongs to', async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const seen: unknown[] = [];
  const note = (answer: LockAnswer) => (call: LockCall) => {
    seen.push(call.metadata.get('traceparent'));
    return answer;
  };
  service.scriptLocks(note(gone), note(granted()));
  await client.lockSeat(SEAT, { traceparent });
  expect(seen).toEqual([[traceparent], [traceparent]]);
});

test.each([undefined, null, '', 'nonsense', `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01`, '00\n'])(
  'what is no traceparent is not sent: %j',
  async (traceparent) => {
    const seen: unknown[] = [];
    service.scriptLocks((call) => {
      seen.push(call.metadata.get('traceparent'));
      return granted();
    });
    await client.lockSeat(SEAT, { traceparent });
    expect(seen).toEqual([[]]);
  },
);
