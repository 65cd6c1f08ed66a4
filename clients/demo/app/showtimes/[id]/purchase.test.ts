import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Purchase } from './purchase';

const WANTED = { showtimeId: '123', seatIds: ['A06'], name: 'Ann' };
const SOLD = { status: 200, body: { orderId: 'o-1' } };
const TAKEN = {
  status: 409,
  body: { code: 'SEAT_TAKEN', message: 'Somebody else has it.', seats: [{ seatId: 'A06' }] },
};
const AWAY = { status: 503, body: { code: 'UNAVAILABLE', message: 'Away.', seats: [] } };

type Script = ({ status: number; body: object } | 'lost')[];

/** Answers calls as the script says, its last line ever after; returns what was sent. */
function site(script: Script): Record<string, unknown>[] {
  const sent: Record<string, unknown>[] = [];
  vi.stubGlobal('fetch', async (_url: string, init: RequestInit) => {
    const line = script[Math.min(sent.length, script.length - 1)] ?? 'lost';
    sent.push(JSON.parse(String(init.body)));
    if (line === 'lost') {
      throw new TypeError('fetch failed');
    }
    return Response.json(line.body, { status: line.status });
  });
  return sent;
}

async function buy(purchase: Purchase, wanted = WANTED) {
  const result = purchase.buy(wanted);
  await vi.runAllTimersAsync();
  return result;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('an order is sent once, with a key of its own', async () => {
  const sent = site([SOLD]);
  expect(await buy(new Purchase('/api/orders'))).toEqual({ orderId: 'o-1' });
  expect(sent).toEqual([{ ...WANTED, orderKey: expect.stringMatching(/^[0-9a-f]{32}$/) }]);
});

test('an answer that is lost is asked for again under the same key', async () => {
  const sent = site(['lost', AWAY, SOLD]);
  expect(await buy(new Purchase('/api/orders'))).toEqual({ orderId: 'o-1' });
  expect(sent).toHaveLength(3);
  expect(new Set(sent.map(({ orderKey }) => orderKey)).size).toBe(1);
});

test('a refusal is final, names the seat, and the next order has another key', async () => {
  const sent = site([TAKEN, SOLD]);
  const purchase = new Purchase('/api/orders');
  expect(await buy(purchase)).toEqual({ problem: 'A06: Somebody else has it.' });
  expect(await buy(purchase)).toEqual({ orderId: 'o-1' });
  expect(sent[1]?.orderKey).not.toBe(sent[0]?.orderKey);
});

test('it gives up after four tries; pressing again goes on with the same order', async () => {
  const sent = site([AWAY, AWAY, AWAY, AWAY, SOLD]);
  const purchase = new Purchase('/api/orders');
  expect((await buy(purchase)).problem).toContain('nothing is bought twice');
  expect(sent).toHaveLength(4);
  // What is chosen by now is another matter: the open order is settled first.
  expect(await buy(purchase, { ...WANTED, seatIds: [] })).toEqual({ orderId: 'o-1' });
  expect(sent[4]).toEqual(sent[0]);
});

test('without seats nothing is sent', async () => {
  const sent = site([SOLD]);
  const result = await buy(new Purchase('/api/orders'), { ...WANTED, seatIds: [] });
  expect(result).toEqual({ problem: 'Choose a seat first.' });
  expect(sent).toEqual([]);
});
