// What an open socket is sent beyond the first subscribe of each showtime: in turns, well below the
// messages that the edge allows (20 a second).

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { showtime } from './index.js';
import { followed, openPage, type Page, settle } from './test/page.js';

let page: Page;
beforeEach(() => {
  page = openPage();
});
afterEach(() => page.leave());

const subscribes = () => page.server.received.filter((frame) => frame.type === 'subscribe');
const of = (id: string) =>
  subscribes().filter((frame) => 'showtimeId' in frame && frame.showtimeId === id);

/** Watches what the page sends. */
function watchSends() {
  const fakeSocket: WebSocket = Object.getPrototypeOf(globalThis.WebSocket.prototype);
  return vi.spyOn(fakeSocket, 'send');
}

/** When each message was sent from now on. */
function sendTimes(): number[] {
  const times: number[] = [];
  const fakeSocket: WebSocket = Object.getPrototypeOf(globalThis.WebSocket.prototype);
  const { send } = fakeSocket;
  watchSends().mockImplementation(function sendAndNote(this: WebSocket, data) {
    times.push(Date.now());
    send.call(this, data);
  });
  return times;
}

/** The most of `times` in any second. */
function mostInASecond(times: readonly number[]): number {
  return Math.max(
    ...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length),
  );
}

describe('64 showtimes that are refused', () => {
  async function follow64() {
    const all = Array.from({ length: 64 }, (_, n) => showtime(`s${n}`));
    for (const { showtimeId } of all) page.server.refuse(showtimeId, { retryAfterMs: 50 });
    for (const one of all) one.follow();
    await settle();
    return all;
  }

  test('AgainAndAgainSendFiveSubscribesASecond', async () => {
    const all = await follow64();
    const times = sendTimes();
    await settle(60_000);
    expect(mostInASecond(times)).toBeLessThanOrEqual(6);
    // And each has its turn.
    for (const { showtimeId } of all) expect(of(showtimeId).length).toBeGreaterThanOrEqual(4);
  });

  test('AreSubscribedToInTurnThoughTheUserAsksForAll', async () => {
    const all = await follow64();
    const times = sendTimes();
    for (let n = 0; n < 100; n++) {
      for (const one of all) one.reconnect();
      await settle(20);
    }
    expect(mostInASecond(times)).toBeLessThanOrEqual(6);
  });

  test('AreAllLiveSoonOnceTheyAreAllowed', async () => {
    const all = await follow64();
    for (const { showtimeId } of all) page.server.allow(showtimeId);
    await settle(15_000);
    expect(all.every((one) => one.connection().status === 'live')).toBe(true);
    expect(subscribes()).toHaveLength(2 * 64);
  });

  test('LeaveNothingToSendOnceTheyAreLeft', async () => {
    const all = Array.from({ length: 64 }, (_, n) => showtime(`s${n}`));
    for (const { showtimeId } of all) page.server.refuse(showtimeId, { retryAfterMs: 50 });
    const releases = all.map((one) => one.follow());
    await settle(3_000);
    for (const release of releases) release();
    await settle(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a message that the edge dropped', () => {
  const tooMany = { type: 'error', code: 'RATE_LIMITED', message: 'too many messages' };

  /** Follows, and the edge never reads the subscribe. */
  async function followInVain(...showtimeIds: string[]) {
    const sends = watchSends();
    const all = showtimeIds.map((showtimeId) => {
      sends.mockImplementationOnce(() => {});
      const one = showtime(showtimeId, { sessionId: 'me' });
      one.follow();
      return one;
    });
    sends.mockRestore();
    await settle();
    return all;
  }

  test('IsSentAgainIfItWasASubscribe', async () => {
    await followed('123');
    const [shown] = await followInVain('124');
    page.server.send(tooMany);
    await settle(1_999);
    expect(shown?.connection().status).toBe('connecting');
    await settle(3_001);
    expect(shown?.connection()).toMatchObject({ status: 'live', error: null });
    await settle(60_000);
    expect(of('124')).toHaveLength(1);
    expect(of('123')).toHaveLength(1);
  });

  test('ManyAreSentInTurn', async () => {
    await followed('123');
    const all = await followInVain('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    page.server.send(tooMany);
    const times = sendTimes();
    await settle(10_000);
    expect(mostInASecond(times)).toBeLessThanOrEqual(6);
    expect(all.every((one) => one.connection().status === 'live')).toBe(true);
  });

  test('OneWhoseAnswerIsOnItsWayIsNotSentAgain', async () => {
    await followed('123');
    showtime('124', { sessionId: 'me' }).follow();
    page.server.send(tooMany);
    await settle(10_000);
    expect(of('124')).toHaveLength(1);
  });

  test.each([
    ['before', 1_000],
    ['after', 0],
  ])('IsNotSentAgainOnceTheShowtimeIsLeft: %s the edge said so', async (_when, ms) => {
    await followed('123');
    const sends = watchSends();
    sends.mockImplementationOnce(() => {});
    const release = showtime('124', { sessionId: 'me' }).follow();
    await settle();
    release();
    await settle(ms);
    page.server.send(tooMany);
    await settle(10_000);
    expect(of('124')).toHaveLength(0);
  });
});
