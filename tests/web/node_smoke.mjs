// What the packages must do on any Node: load, call a real service, watch it, follow the fake one,
// render on a server. Runs in a user's project. Usage: node node_smoke.mjs HOST:PORT

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { seatLocks, showtime } from '@seatlock/client';
import { createSeatLockClient, isSeatLockError } from '@seatlock/client/node';
import { FakeSeatServer } from '@seatlock/client/testing';
import { SeatSelection } from '@seatlock/react';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';

const [address = '127.0.0.1:50051'] = process.argv.slice(2);
const showtimeId = `smoke-${process.version}`;
const require = createRequire(import.meta.url);

/** @param {Promise<unknown>} promise */
const failure = (promise) =>
  promise.then(
    () => assert.fail('it went through'),
    (error) => error,
  );

test('CommonJS has what the ES modules have', async () => {
  for (const entry of ['client', 'client/node', 'client/testing', 'react']) {
    const names = Object.keys(await import(`@seatlock/${entry}`)).filter((it) => it !== 'default');
    assert.deepEqual(Object.keys(require(`@seatlock/${entry}`)).sort(), names.sort());
    assert.ok(names.length > 0);
  }
});

test('locks, refusals, sales and a watch of them', async () => {
  const seats = createSeatLockClient({ address });
  const alice = { showtimeId, sessionId: 'alice' };
  const bob = { showtimeId, sessionId: 'bob' };
  const watch = seats.watchShowtime({ showtimeId });
  await seats.lockSeat({ ...alice, seatId: 'A06' });
  const refused = await failure(seats.lockSeat({ ...bob, seatId: 'A06' }));
  assert.ok(isSeatLockError(refused));
  assert.equal(refused.reason, 'SEAT_TAKEN');
  assert.deepEqual(
    refused.conflicts.map(({ seatId, status }) => [seatId, status]),
    [['A06', 'locked']],
  );
  const booked = await seats.bookSeats({ ...alice, seatIds: ['A06'], orderId: 'o-1' });
  for await (const event of watch) {
    const seen =
      event.type === 'change' ? event.change : event.type === 'snapshot' && event.snapshot;
    if (!seen || seen.revision < booked.revision) continue;
    assert.equal(seen.revision, booked.revision);
    assert.deepEqual(
      seen.seats.map(({ seatId, status }) => [seatId, status]),
      [['A06', 'booked']],
    );
    break;
  }
  seats.close();
});

test('the browser core follows the fake server, and calls it', async () => {
  const server = new FakeSeatServer({ sessionId: 'me' });
  const uninstall = server.install();
  try {
    const followed = showtime('123', { url: 'ws://edge/ws/seat-updates', sessionId: 'me' });
    const live = new Promise((resolve) => {
      followed.onConnection(() => followed.connection().status === 'live' && resolve(undefined));
    });
    const unfollow = followed.follow();
    await live;
    const changed = new Promise((resolve) => followed.onSeat('A06', () => resolve(undefined)));
    server.lock('123', ['A06'], 'somebody');
    await changed;
    assert.equal(followed.seat('A06').status, 'locked');
    const calls = seatLocks({ fetch: server.fetch, url: 'http://site/api/seat-locks' });
    const refused = await failure(calls.lock('123', ['A06']));
    assert.deepEqual([refused.code, refused.status], ['SEAT_TAKEN', 409]);
    const { seats } = await calls.lock('123', ['A07']);
    assert.deepEqual(
      seats.map(({ seatId }) => seatId),
      ['A07'],
    );
    unfollow();
  } finally {
    uninstall();
  }
});

test('the seat grid renders on a server', () => {
  const seats = [{ seatId: 'A06', number: '6', category: 'c' }];
  const layout = {
    name: 'Hall 1',
    locale: 'en-IE',
    currency: 'EUR',
    categories: [{ id: 'c', name: 'Standard', price: 1200 }],
    sections: [{ id: 's', name: 'Stalls', rows: [{ label: 'A', seats }] }],
  };
  const initialSnapshot = { epoch: 'e', revision: 1, bookedSeats: ['A06'], lockedSeats: [] };
  const html = renderToString(
    createElement(SeatSelection, { showtimeId: '123', layout, initialSnapshot }),
  );
  assert.match(html, /Row A, seat 6, €12\.00, sold/);
});
