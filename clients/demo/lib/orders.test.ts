// What becomes of an order when the seat service answers late, or not at all.

import { beforeEach, expect, test, vi } from 'vitest';
import { findSeats } from './catalogue';
import { type Db, openDb } from './db';
import { openOrder, orderOf, placeOrder, settle } from './orders';

const service = vi.hoisted(() => ({ bookSeats: vi.fn(), getOrder: vi.fn() }));
vi.mock('./seatlock', () => ({ seatlock: () => service }));

const TRACE = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };

let db: Db;
beforeEach(() => {
  vi.resetAllMocks();
  db = openDb(':memory:');
});

function newOrder() {
  const { seats } = findSeats(db, '123', ['A01']);
  return openOrder(db, {
    sessionId: 'ann',
    orderKey: 'key-1',
    showtimeId: '123',
    name: 'Ann',
    seats,
  });
}

function failure(reason: string, outcome: 'none' | 'unknown'): Error {
  const fields = { name: 'SeatLockError', reason, outcome, code: 9, conflicts: [] };
  return Object.assign(new Error(reason), fields);
}

async function stateAfter(error: Error): Promise<string | undefined> {
  const order = newOrder();
  service.bookSeats.mockRejectedValue(error);
  await expect(placeOrder(db, order, 'ann', TRACE)).rejects.toBe(error);
  return orderOf(db, order.id, 'ann')?.state;
}

test('the seats are sold as part of the trace that the click belongs to', async () => {
  const order = newOrder();
  await placeOrder(db, order, 'ann', TRACE);
  expect(service.bookSeats).toHaveBeenCalledWith(
    expect.objectContaining({ orderId: order.id, seatIds: ['A01'] }),
    TRACE,
  );
  expect(orderOf(db, order.id, 'ann')?.state).toBe('booked');
});

test('a refusal ends an order', async () => {
  expect(await stateAfter(failure('SEAT_TAKEN', 'none'))).toBe('refused');
});

test.each([
  failure('OUTCOME_UNKNOWN', 'unknown'),
  failure('UNAVAILABLE', 'none'),
  failure('OVERLOADED', 'none'),
])('%s does not: an earlier call may have sold the seats', async (error) => {
  expect(await stateAfter(error)).toBe('pending');
});

test.each([failure('DEADLINE_EXCEEDED', 'unknown'), failure('SEAT_TAKEN', 'none')])(
  'an order that SeatLock has after all is booked, also after %s',
  async (error) => {
    await stateAfter(error);
    const order = newOrder();
    service.getOrder.mockResolvedValue({ state: 'open' });
    expect((await settle(db, order)).state).toBe('booked');
    expect(orderOf(db, order.id, 'ann')?.state).toBe('booked');
  },
);

test('an order that SeatLock does not have stays as it was', async () => {
  await stateAfter(failure('SEAT_TAKEN', 'none'));
  service.getOrder.mockResolvedValue({ state: 'unknown' });
  expect((await settle(db, newOrder())).state).toBe('refused');
});
