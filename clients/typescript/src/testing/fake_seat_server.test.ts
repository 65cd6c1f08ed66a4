// The fake server as a page and a script meet it: the frames of docs/websocket.md, in their order.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeSeatServer } from './index.js';

let server: FakeSeatServer;
let undo: () => void;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  server = new FakeSeatServer({ sessionId: 'me' });
  undo = server.install();
});
afterEach(() => {
  undo();
  vi.useRealTimers();
});

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

interface Heard {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A page's socket that subscribed, and what it heard. */
async function open(subscribe?: object) {
  const socket = new WebSocket('ws://fake.test/ws/seat-updates');
  const heard: Heard[] = [];
  const closes: number[] = [];
  socket.onmessage = ({ data }) => heard.push(JSON.parse(data));
  socket.onclose = ({ code }) => closes.push(code);
  await settle();
  if (subscribe)
    socket.send(JSON.stringify({ type: 'subscribe', showtimeId: '123', ...subscribe }));
  await settle();
  return { socket, heard, closes, types: () => heard.map((frame) => frame.type) };
}

async function call(method: string, fields: object): Promise<{ status: number; body: Heard }> {
  const response = await fetch('/api/seat-locks', { method, body: JSON.stringify(fields) });
  return { status: response.status, body: await response.json() };
}

describe('the socket', () => {
  test('OpensLaterAndSaysHello', async () => {
    const socket = new WebSocket('ws://fake.test/');
    expect(socket.readyState).toBe(0);
    expect(() => socket.send('')).toThrow();
    const opened = vi.fn();
    socket.addEventListener('open', opened);
    await settle();
    expect(opened).toHaveBeenCalledOnce();
    expect(server.connections).toBe(1);
    socket.close();
    await settle();
    expect(server.connections).toBe(0);
  });

  test('SubscribedThenTheSnapshotThenChanges', async () => {
    server.lock('123', ['A01'], 'me');
    server.book('123', ['A02']);
    const { heard } = await open({ sessionId: 'me' });
    server.lock('123', ['A03', 'A04'], 'me', { ttlMs: 5_000 });
    server.unlock('123', ['A03', 'A04'], 'me');
    await settle();
    const at = { showtimeId: '123', timestamp: 1_000_000 };
    const position = { epoch: 'epoch-b1', revision: 2 };
    const yourSeats = [{ seatId: 'A01', expiresAt: 1_600_000 }];
    const change = { type: 'seat_status_change', ...at, sessionId: 'me' };
    expect(heard.slice(1)).toEqual([
      { type: 'subscribed', ...at, ...position, recovered: false, yourSeats },
      {
        type: 'current_seat_status',
        ...at,
        ...position,
        bookedSeats: ['A02'],
        lockedSeats: ['A01'],
      },
      ...['A03', 'A04'].map((seatId) => ({
        ...{ ...change, seatId, status: 'locked', cause: 'lock', revision: 3 },
        expiresAt: 1_005_000,
        ...(seatId === 'A03' && { more: true }),
      })),
      ...['A03', 'A04'].map((seatId) => ({
        ...{ ...change, seatId, status: 'unlocked', cause: 'unlock', revision: 4 },
        ...(seatId === 'A03' && { more: true }),
      })),
    ]);
  });

  test('NobodyElseLearnsWhoHoldsASeat', async () => {
    const { heard } = await open({ sessionId: 'other' });
    server.lock('123', ['A01'], 'me');
    server.book('123', ['A01']);
    await settle();
    for (const frame of heard.slice(3)) {
      expect(frame).not.toHaveProperty('sessionId');
      expect(frame).not.toHaveProperty('expiresAt');
    }
    expect(heard[3]).toMatchObject({ revision: 1, epoch: 'epoch-b1' });
    expect(heard).toHaveLength(5);
  });

  test('AResumeBringsTheMissedChangesAndNoSnapshot', async () => {
    server.lock('123', ['A01'], 'other');
    server.lock('123', ['A02'], 'me');
    const { heard } = await open({ sessionId: 'me', resume: { epoch: 'epoch-b1', revision: 1 } });
    expect(heard[1]).toMatchObject({ recovered: true, revision: 1 });
    expect(heard[1]?.yourSeats).toHaveLength(1);
    expect(heard.slice(2)).toMatchObject([{ type: 'seat_status_change', revision: 2 }]);
  });

  test.each([
    { epoch: 'another', revision: 1 },
    { epoch: 'epoch-b1', revision: 9 },
  ])('AResumeAt %j: begins afresh', async (resume) => {
    server.lock('123', ['A01'], 'other');
    const { heard, types } = await open({ resume });
    expect(heard[1]).toMatchObject({ recovered: false, revision: 1 });
    expect(types().slice(2)).toEqual(['current_seat_status']);
  });

  test('SubscribingAgainBeginsAfreshWithoutDoubledFrames', async () => {
    const { socket, types } = await open({});
    socket.send(JSON.stringify({ type: 'subscribe', showtimeId: '123' }));
    await settle();
    server.lock('123', ['A01'], 'other');
    await settle();
    expect(types().filter((type) => type === 'seat_status_change')).toHaveLength(1);
    expect(types().filter((type) => type === 'subscribed')).toHaveLength(2);
  });

  test('HeartbeatsComeToWhoAsked', async () => {
    const asked = await open({ heartbeat: true });
    const other = await open({});
    await settle(45_000);
    expect(asked.types().filter((type) => type === 'heartbeat')).toHaveLength(3);
    expect(other.types()).not.toContain('heartbeat');
  });

  test('UnsubscribeAndPingAreAnswered', async () => {
    const { socket, types } = await open({});
    socket.send('{"type":"ping"}');
    socket.send('{"type":"unsubscribe","showtimeId":"123"}');
    await settle();
    server.lock('123', ['A01'], 'other');
    await settle();
    expect(types().slice(3)).toEqual(['pong', 'unsubscribed']);
    expect(server.received.map((frame) => frame.type)).toEqual([
      'subscribe',
      'ping',
      'unsubscribe',
    ]);
  });

  test('TheThirdBadMessageClosesWith4000', async () => {
    const { socket, heard, closes } = await open();
    socket.send('{"type":"news"}');
    for (const bad of ['{', '7', 'null']) socket.send(bad);
    await settle();
    const codes = heard.slice(1).map((frame) => frame.code);
    expect(codes).toEqual(['UNKNOWN_TYPE', 'BAD_JSON', 'BAD_JSON', 'BAD_JSON']);
    expect(closes).toEqual([4000]);
  });

  test('TheServiceAwayAndBack', async () => {
    server.lock('123', ['A01'], 'other');
    const before = await open({});
    server.goStale();
    server.lock('123', ['A02'], 'other');
    const newcomer = await open({});
    const ahead = await open({ resume: { epoch: 'epoch-b1', revision: 2 } });
    const away = 'stream_status';
    expect(before.types().slice(3)).toEqual([away]);
    expect(newcomer.heard.slice(1)).toMatchObject([
      { type: away, live: false },
      { type: 'current_seat_status', lockedSeats: ['A01'], revision: 1 },
    ]);
    expect(ahead.types().slice(1)).toEqual([away]);
    server.goLive();
    await settle();
    expect(before.types().slice(4)).toEqual(['seat_status_change', away]);
    expect(newcomer.heard.slice(3)).toMatchObject([
      { type: 'subscribed', recovered: true, revision: 1 },
      { type: 'seat_status_change', revision: 2 },
      { type: away, live: true },
    ]);
    expect(ahead.types().slice(2)).toEqual(['subscribed', away]);
  });

  test('WhoComesBackWhileTheServiceIsAwayIsToldSoInItsAnswer', async () => {
    server.lock('123', ['A01'], 'other');
    await open({});
    server.goStale();
    const back = await open({ resume: { epoch: 'epoch-b1', revision: 1 } });
    expect(back.heard.slice(1)).toMatchObject([
      { type: 'subscribed', recovered: true, live: false },
      { type: 'stream_status', live: false },
    ]);
    server.goLive();
    const late = await open({});
    expect(late.heard[1]).not.toHaveProperty('live');
  });

  test('OfAShowtimeThatNobodyFollowedBeforeTheEdgeKnowsNothing', async () => {
    server.lock('123', ['A01'], 'other');
    server.goStale();
    const newcomer = await open({});
    const back = await open({ resume: { epoch: 'epoch-b1', revision: 1 } });
    for (const { heard } of [newcomer, back]) {
      expect(heard.slice(1)).toMatchObject([{ type: 'stream_status', live: false }]);
    }
    server.goLive();
    await settle();
    const types = ['subscribed', 'current_seat_status', 'stream_status'];
    expect(newcomer.types().slice(2)).toEqual(types);
    expect(back.heard.slice(2)).toMatchObject([{ recovered: true }, { live: true }]);
  });

  test('AShowtimeThatIsFirstAskedForWhileAllIsAwayComesBackToo', async () => {
    server.goStale();
    const { types } = await open({});
    server.goLive();
    await settle();
    expect(types().slice(2)).toEqual(['subscribed', 'current_seat_status', 'stream_status']);
  });

  test('GoingAwayAgainIsToldOnce', async () => {
    const { types } = await open({});
    for (let n = 0; n < 2; n++) {
      server.goStale();
      server.goStale('123');
    }
    await settle();
    expect(types().filter((type) => type === 'stream_status')).toHaveLength(1);
  });

  test('HeartbeatsComeToWhoIsRefusedToo', async () => {
    server.refuse('123');
    const refused = await open({ heartbeat: true });
    const tooMany = await open();
    for (let n = 0; n < 65; n++) {
      const heartbeat = n === 64;
      tooMany.socket.send(JSON.stringify({ type: 'subscribe', showtimeId: `s${n}`, heartbeat }));
    }
    await settle(15_000);
    expect(tooMany.heard).toContainEqual(expect.objectContaining({ showtimeId: 's64' }));
    for (const { types } of [refused, tooMany]) expect(types()).toContain('heartbeat');
  });

  test('ANewHistoryIsASnapshot', async () => {
    server.lock('123', ['A01'], 'other');
    const { heard } = await open({});
    server.newEpoch('123');
    server.lock('123', ['A02'], 'other');
    await settle();
    expect(heard.slice(3)).toMatchObject([
      { type: 'current_seat_status', epoch: '', revision: 0, lockedSeats: [] },
      { type: 'seat_status_change', epoch: 'epoch-c2', revision: 1, seatId: 'A02' },
    ]);
  });

  test('ClosesAndRefusals', async () => {
    const { closes } = await open();
    server.closeAll(4200);
    server.refuseConnections(true);
    await settle();
    expect(closes).toEqual([4200]);
    expect((await open()).closes).toEqual([1006]);
    server.refuseConnections(false);
    expect((await open()).closes).toEqual([]);
  });

  test('ARefusedShowtimeEndsItsSubscriptionsAloneUntilItIsAllowed', async () => {
    const { socket, heard } = await open({});
    socket.send(JSON.stringify({ type: 'subscribe', showtimeId: '124' }));
    await settle();
    server.refuse('123', { retryAfterMs: 7_000 });
    socket.send(JSON.stringify({ type: 'subscribe', showtimeId: '123' }));
    server.lock('123', ['A01'], 'other');
    server.lock('124', ['A01'], 'other');
    await settle();
    const error = { type: 'error', code: 'SHOWTIME_UNAVAILABLE', showtimeId: '123' };
    expect(heard.slice(5)).toMatchObject([
      { ...error, retryAfterMs: 7_000 },
      { type: 'seat_status_change', showtimeId: '124' },
      { ...error, retryAfterMs: 7_000 },
    ]);
    server.allow('123');
    socket.send(JSON.stringify({ type: 'subscribe', showtimeId: '123' }));
    await settle();
    expect(heard.slice(8)).toMatchObject([{ type: 'subscribed' }, { lockedSeats: ['A01'] }]);
  });

  test('ARateLimitMeetsOnlyWhoSubscribes', async () => {
    const before = await open({});
    server.refuse('123', { code: 'RATE_LIMITED', retryAfterMs: null });
    const after = await open({});
    server.lock('123', ['A01'], 'other');
    await settle();
    expect(before.types().at(-1)).toBe('seat_status_change');
    expect(after.heard.slice(1)).toEqual([
      { type: 'error', code: 'RATE_LIMITED', message: 'too many', showtimeId: '123' },
    ]);
  });

  test('ItsClockMayBeAnother', async () => {
    undo();
    server = new FakeSeatServer({ sessionId: 'me', now: () => 5_000_000 + Date.now() });
    undo = server.install();
    const { heard } = await open({ sessionId: 'me' });
    await call('POST', { showtimeId: '123', seatIds: ['A01'] });
    await settle(600_000);
    expect(heard[0]).toMatchObject({ timestamp: 6_000_000 });
    expect(heard[3]).toMatchObject({ timestamp: 6_000_000, expiresAt: 6_600_000 });
    expect(heard[4]).toMatchObject({ timestamp: 6_600_000, cause: 'expired' });
  });

  test('SendIsRaw', async () => {
    const { socket } = await open();
    const heard: unknown[] = [];
    socket.onmessage = ({ data }) => heard.push(data);
    server.send('not json');
    server.send({ type: 'news' });
    await settle();
    expect(heard).toEqual(['not json', '{"type":"news"}']);
  });
});

describe('the script', () => {
  test('ALockLapsesByItself', async () => {
    const { heard } = await open({});
    server.lock('123', ['A01'], 'other', { ttlMs: 1_000 });
    server.lock('123', ['A02'], 'other', { ttlMs: 3_000 });
    server.extend('123', ['A01'], 'other', { ttlMs: 2_000 });
    await settle(1_999);
    expect(heard.map((frame) => frame.cause).slice(3)).toEqual(['lock', 'lock', 'extend']);
    await settle(1);
    expect(heard.at(-1)).toMatchObject({ seatId: 'A01', cause: 'expired', status: 'unlocked' });
    await settle(1_000);
    expect(heard.at(-1)).toMatchObject({ seatId: 'A02', cause: 'expired' });
  });

  test('WhatTheServerWouldRefuseThrows', () => {
    server.lock('123', ['A01'], 'other');
    server.book('123', ['A02']);
    expect(() => server.lock('123', ['A01', 'A02'], 'me')).toThrow(
      'SEAT_TAKEN: A01 is locked, A02 is booked',
    );
    expect(() => server.unlock('123', ['A01'], 'me')).toThrow('NOT_LOCK_HOLDER');
    expect(() => server.extend('123', ['A03'], 'me')).toThrow('NOT_LOCK_HOLDER');
    expect(() => server.book('123', ['A01'], 'me')).toThrow('SEAT_TAKEN');
    expect(() => server.expire('123', ['A02'])).toThrow('NOT_LOCK_HOLDER');
    expect(() => server.cancel('123', ['A01'])).toThrow('UNKNOWN_ORDER');
  });

  test('WhatChangesNothingSaysNothing', async () => {
    server.lock('123', ['A01'], 'me');
    const { types } = await open({});
    server.lock('123', ['A01'], 'me');
    server.unlock('123', ['A02'], 'me');
    await settle();
    expect(types()).not.toContain('seat_status_change');
  });

  test('CancelFreesWhatWasBooked', async () => {
    server.book('123', ['A01'], 'me');
    const { heard } = await open({ sessionId: 'me' });
    server.cancel('123', ['A01']);
    await settle();
    expect(heard.at(-1)).toMatchObject({ status: 'unlocked', cause: 'cancel', sessionId: 'me' });
  });
});

describe('the routes', () => {
  test('LockExtendUnlockAndGet', async () => {
    const locked = await call('POST', { showtimeId: '123', seatIds: ['A01', 'A02'] });
    expect(locked.status).toBe(200);
    const seats = ['A01', 'A02'].map((seatId) => ({ seatId, expiresAt: 1_600_000 }));
    expect(locked.body).toEqual({ sessionId: 'me', seats, revision: 1, serverTime: 1_000_000 });
    vi.setSystemTime(1_100_000);
    const extended = await call('PATCH', { showtimeId: '123' });
    expect(extended.body.seats).toMatchObject([{ expiresAt: 1_700_000 }, { expiresAt: 1_700_000 }]);
    const swapped = await call('POST', {
      ...{ showtimeId: '123', seatId: 'A03', releaseSeatIds: ['A01', 'A09'] },
    });
    expect(swapped.body).toMatchObject({
      seats: [{ seatId: 'A02' }, { seatId: 'A03' }],
      revision: 3,
    });
    await call('DELETE', { showtimeId: '123', seatIds: ['A02', 'A03'] });
    const response = await fetch('/api/seat-locks?showtimeId=123');
    expect(await response.json()).toMatchObject({ seats: [], revision: 4 });
    expect(server.calls.map((one) => one.method)).toEqual([
      'POST',
      'PATCH',
      'POST',
      'DELETE',
      'GET',
    ]);
    expect(server.calls[4]).toMatchObject({
      url: '/api/seat-locks?showtimeId=123',
      fields: { showtimeId: '123' },
    });
  });

  test('RefusalsNameTheSeats', async () => {
    server.lock('123', ['A01'], 'other');
    expect(await call('POST', { showtimeId: '123', seatIds: ['A01', 'A02'] })).toEqual({
      status: 409,
      body: {
        code: 'SEAT_TAKEN',
        message: 'SEAT_TAKEN: A01 is locked',
        seats: [{ seatId: 'A01', status: 'locked' }],
      },
    });
    expect((await call('POST', { showtimeId: '123' })).body.code).toBe('INVALID_FIELD');
    expect((await call('POST', {})).status).toBe(400);
  });

  test('TheCookiesShopperMayChange', async () => {
    await call('POST', { showtimeId: '123', seatIds: ['A01'] });
    server.sessionId = 'other';
    expect((await call('POST', { showtimeId: '123', seatIds: ['A01'] })).status).toBe(409);
  });

  test('AFailureIsTheNextCallsAndDoesNothing', async () => {
    server.failNextCall({ status: 503, code: 'DRAINING' });
    server.failNextCall('network');
    const fields = { showtimeId: '123', seatIds: ['A01'] };
    const response = await fetch('/api/seat-locks', {
      method: 'POST',
      body: JSON.stringify(fields),
    });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    await expect(call('POST', fields)).rejects.toThrow(TypeError);
    expect((await call('GET', fields)).body).toMatchObject({ seats: [], revision: 0 });
  });

  test('DelaysEndWithTheTimeOrTheCaller', async () => {
    server.delayCalls(500);
    const done = vi.fn();
    void call('GET', { showtimeId: '123' }).then(done);
    const caller = new AbortController();
    const given = fetch('/api/seat-locks?showtimeId=123', { signal: caller.signal });
    const refused = expect(given).rejects.toThrow();
    await settle(499);
    expect(done).not.toHaveBeenCalled();
    caller.abort();
    await refused;
    await settle(1);
    expect(done).toHaveBeenCalledOnce();
  });

  test('OtherUrlsAreNotItsOwn', async () => {
    undo();
    const real = vi.fn<typeof fetch>(async () => new Response('real'));
    vi.stubGlobal('fetch', real);
    undo = server.install();
    expect(await (await fetch('https://other.test/api/films')).text()).toBe('real');
    expect(server.calls).toEqual([]);
    undo();
    expect(globalThis.fetch).toBe(real);
    vi.unstubAllGlobals();
  });
});

test('AnInitialSnapshotIsWhatARenderingServerKnows', () => {
  server.lock('123', ['A01'], 'me', { ttlMs: 1_000 });
  server.lock('123', ['A02'], 'other');
  server.book('123', ['A03']);
  const seats = { bookedSeats: ['A03'], lockedSeats: ['A01', 'A02'] };
  const yourSeats = [{ seatId: 'A01', expiresAt: 1_001_000 }];
  const snapshot = { epoch: 'epoch-b1', revision: 3, ...seats, yourSeats };
  expect(server.initialSnapshot('123')).toEqual(snapshot);
  expect(server.initialSnapshot('123', 'nobody')).toEqual({ ...snapshot, yourSeats: [] });
});

test('RemovingItClosesWith4000AndLeavesNoTimer', async () => {
  const installed = globalThis.WebSocket;
  const { closes } = await open({ heartbeat: true });
  server.lock('123', ['A01'], 'other');
  undo();
  expect(closes).toEqual([4000]);
  expect(vi.getTimerCount()).toBe(0);
  expect(globalThis.WebSocket).not.toBe(installed);
});
