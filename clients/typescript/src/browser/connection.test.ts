// The connection of a followed showtime: its states, its pauses, its watchdog.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Showtime, showtime } from './index.js';
import { followed, muteServer, openPage, PAUSE_MS, type Page, settle } from './test/page.js';

let page: Page;
beforeEach(() => {
  page = openPage();
});
afterEach(() => page.leave());

const subscribes = () => page.server.received.filter((frame) => frame.type === 'subscribe');

describe('states', () => {
  test('IdleOpensNothing', async () => {
    const shown = showtime('123');
    await settle(60_000);
    const error = null;
    const idle = { status: 'idle', error, retryAt: null, stale: true, recovered: false };
    expect(shown.connection()).toEqual(idle);
    expect(page.attempts()).toBe(0);
  });

  test('ConnectingThenLive', async () => {
    const shown = showtime('123');
    const states: string[] = [];
    shown.onConnection(() => states.push(shown.connection().status));
    shown.follow();
    await settle();
    expect(states).toEqual(['connecting', 'live']);
    expect(shown.connection()).toMatchObject({ stale: false, recovered: false, retryAt: null });
  });

  test('IsTheSameObjectUntilSomethingChanges', async () => {
    const { shown } = await followed();
    const before = shown.connection();
    page.server.lock('123', ['A01'], 'other');
    await settle(30_000);
    expect(shown.connection()).toBe(before);
  });

  test('AnAttemptThatFailsSaysWhyAndWhenTheNextIs', async () => {
    page.server.refuseConnections(true);
    const { shown } = await followed();
    expect(shown.connection()).toEqual({
      status: 'reconnecting',
      error: { closeCode: 1006, code: 'CLOSED', message: '' },
      retryAt: Date.now() + PAUSE_MS,
      stale: true,
      recovered: false,
    });
    page.server.refuseConnections(false);
    await settle(PAUSE_MS);
    expect(shown.connection().status).toBe('live');
  });

  test('AnAttemptThatDoesNotOpenEndsInTenSeconds', async () => {
    class Mute extends EventTarget {
      close() {}
    }
    vi.stubGlobal('WebSocket', Mute);
    const { shown } = await followed();
    await settle(9_999);
    expect(shown.connection().status).toBe('connecting');
    await settle(1);
    expect(shown.connection().error).toMatchObject({ closeCode: 0, code: 'TIMEOUT' });
  });

  test('AUrlThatTheBrowserRefusesIsAnError', async () => {
    vi.stubGlobal('WebSocket', function Refusing() {
      throw new Error('mixed content');
    });
    const { shown } = await followed();
    expect(shown.connection()).toMatchObject({
      status: 'reconnecting',
      error: { closeCode: 0, code: 'CLOSED', message: 'Error: mixed content' },
    });
  });

  test('LosingTheSeatServiceIsStaleAndItsReturnBringsWhatWasMissed', async () => {
    const { shown } = await followed();
    page.server.goStale();
    page.server.lock('123', ['A01'], 'other');
    await settle();
    expect(shown.connection()).toMatchObject({ status: 'stale', stale: true, error: null });
    expect(shown.seat('A01').status).toBe('available');
    page.server.goLive();
    await settle();
    expect(shown.connection().status).toBe('live');
    expect(shown.seat('A01').status).toBe('locked');
  });

  test('AnEdgeThatCallsItselfLiveBeforeItHasAnsweredIsNotShownAsLive', async () => {
    page.server.lock('123', ['A01'], 'other');
    page.server.goStale();
    const elsewhere = { epoch: 'another', revision: 3, bookedSeats: [], lockedSeats: ['B01'] };
    const { shown } = await followed('123', { initialSnapshot: elsewhere });
    page.server.send({ type: 'stream_status', showtimeId: '123', live: true, timestamp: 1 });
    await settle();
    expect(shown.connection().status).toBe('stale');
    page.server.goLive();
    await settle();
    expect(shown.connection().status).toBe('live');
    expect(shown.seat('A01').status).toBe('locked');
    expect(shown.seat('B01').status).toBe('available');
  });

  test('ANewcomerToAnEdgeWithoutServiceSeesWhatTheEdgeKnows', async () => {
    await followed('123', { sessionId: 'other' });
    page.server.lock('123', ['A01'], 'me');
    page.server.goStale('123');
    const { shown } = await followed();
    expect(shown.connection().status).toBe('stale');
    expect(shown.seat('A01').status).toBe('locked');
    page.server.goLive('123');
    await settle();
    expect(shown.connection().status).toBe('live');
    expect(shown.seat('A01').mine).toBe(true);
  });

  test('AnErrorFrameIsTheShowtimesOwn', async () => {
    const all = Array.from({ length: 65 }, (_, n) => showtime(`s${n}`));
    const releases = all.map((one) => one.follow());
    await settle();
    expect(all[63]?.connection()).toMatchObject({ status: 'live', error: null });
    expect(all[64]?.connection()).toMatchObject({
      status: 'stale',
      error: { closeCode: 0, code: 'TOO_MANY_SUBSCRIPTIONS' },
      retryAt: null,
    });
    releases[0]?.();
    await settle(1_000);
    expect(all[64]?.connection()).toMatchObject({ status: 'live', error: null });
  });
});

describe('the 65th showtime', () => {
  async function follow(count: number) {
    const all = Array.from({ length: count }, (_, n) => showtime(`s${n}`));
    const releases = all.map((one) => one.follow());
    await settle();
    return { all, releases, states: () => all.map((one) => one.connection().status) };
  }

  test('TwoThatLeaveInOneTickMakeRoomForTwo', async () => {
    const { all, releases } = await follow(67);
    releases[0]?.();
    releases[1]?.();
    await settle(1_000);
    expect(all.slice(64).map((one) => one.connection().status)).toEqual(['live', 'live', 'stale']);
  });

  test('OneThatWasRefusedMakesNoRoomAndIsNotAskedForAgain', async () => {
    const { all, releases } = await follow(66);
    releases[64]?.();
    await settle(1_000);
    expect(all[65]?.connection().status).toBe('stale');
    const subscribed = subscribes().length;
    releases[0]?.();
    await settle(1_000);
    expect(subscribes()).toHaveLength(subscribed + 1);
    expect(all[65]?.connection().status).toBe('live');
  });

  test('WhoAskedByItselfInVainIsTheLastToGetRoom', async () => {
    const { all, releases } = await follow(66);
    all[64]?.reconnect();
    await settle();
    releases[0]?.();
    await settle(1_000);
    expect(all.slice(64).map((one) => one.connection().status)).toEqual(['stale', 'live']);
    releases[1]?.();
    await settle(1_000);
    expect(all[64]?.connection().status).toBe('live');
    const subscribed = subscribes().length;
    releases[2]?.();
    await settle(1_000);
    expect(subscribes()).toHaveLength(subscribed);
  });

  test('GetsThePlaceOfOneWhoseSubscriptionEndedWithAnError', async () => {
    const { all } = await follow(66);
    page.server.refuse('s0', { retryAfterMs: 30_000 });
    await settle();
    expect(all.slice(64).map((one) => one.connection().status)).toEqual(['live', 'stale']);
    page.server.refuse('s1', { retryAfterMs: 30_000 });
    page.server.refuse('s2', { retryAfterMs: 30_000 });
    await settle(1_000);
    expect(all[65]?.connection().status).toBe('live');
  });

  test('OneThatWasAnsweredAfterAllIsNotAskedForAgain', async () => {
    const { release } = await followed('124');
    await followed('123');
    const at = { showtimeId: '123', timestamp: Date.now() };
    page.server.send({ type: 'error', code: 'TOO_MANY_SUBSCRIPTIONS', message: 'm', ...at });
    const position = { epoch: '', revision: 0, recovered: true, yourSeats: [] };
    page.server.send({ type: 'subscribed', ...at, ...position });
    await settle();
    release();
    await settle(1_000);
    expect(subscribes()).toHaveLength(2);
  });

  test('IsAskedForOnceMoreOnANewSocketAndOnceForAPlaceThere', async () => {
    const { all, releases } = await follow(66);
    page.server.closeAll(1006);
    await settle(PAUSE_MS);
    expect(subscribes()).toHaveLength(2 * 66);
    releases[0]?.();
    await settle(1_000);
    expect(subscribes()).toHaveLength(2 * 66 + 1);
    expect(all.slice(64).map((one) => one.connection().status)).toEqual(['live', 'stale']);
  });

  test('LivesOnANewSocketIfOthersLeftMeanwhile', async () => {
    const { all, releases } = await follow(66);
    page.server.closeAll(1006);
    await settle();
    releases[0]?.();
    await settle(2_000);
    expect(all.slice(64).map((one) => one.connection().status)).toEqual(['live', 'stale']);
  });
});

describe('close codes', () => {
  test('4000IsTheEndUntilSomebodyAsks', async () => {
    const { shown } = await followed();
    page.server.closeAll(4000, 'bad messages');
    await settle(600_000);
    expect(page.attempts()).toBe(1);
    expect(shown.connection()).toMatchObject({
      status: 'closed',
      error: { closeCode: 4000, code: 'CLOSED', message: 'bad messages' },
      retryAt: null,
    });
    shown.reconnect();
    expect(shown.connection().status).toBe('reconnecting');
    await settle();
    expect(shown.connection().status).toBe('live');
  });

  test('4100ComesBackAfterHalfASecondAtLeast', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { shown } = await followed();
    page.server.closeAll(4101);
    await settle();
    expect(shown.connection().retryAt).toBe(Date.now() + 500);
    await settle(499);
    expect(page.attempts()).toBe(1);
    await settle(1);
    expect(shown.connection().status).toBe('live');
  });

  test('4200ComesBackAtOnce', async () => {
    const { shown } = await followed();
    page.server.closeAll(4200);
    await settle();
    expect(page.attempts()).toBe(2);
    expect(shown.connection()).toMatchObject({ status: 'live', recovered: true });
  });

  test('4200ComesBackAtOnceEachTimeItWasLive', async () => {
    await followed();
    for (let attempts = 2; attempts < 5; attempts++) {
      page.server.closeAll(4200);
      await settle();
      expect(page.attempts()).toBe(attempts);
    }
  });

  test('4200AFourthTimeInShortLivesWaits', async () => {
    const { shown } = await followed();
    for (let attempts = 2; attempts < 5; attempts++) {
      page.server.closeAll(4200);
      await settle();
    }
    page.server.closeAll(4200);
    await settle();
    expect(page.attempts()).toBe(4);
    expect(shown.connection().retryAt).toBe(Date.now() + PAUSE_MS);
    await settle(PAUSE_MS + 10_000);
    page.server.closeAll(4200);
    await settle();
    expect(page.attempts()).toBe(6);
  });

  test('4200AfterAnotherFailureWithoutHavingBeenLiveWaits', async () => {
    const { shown } = await followed();
    page.server.refuse('123');
    page.server.closeAll(4200);
    await settle();
    page.server.closeAll(1006);
    await settle(PAUSE_MS);
    expect(page.attempts()).toBe(3);
    page.server.closeAll(4200);
    await settle();
    expect(page.attempts()).toBe(3);
    expect(shown.connection().retryAt).toBeGreaterThan(Date.now());
  });

  test('4200ASecondTimeWithoutHavingBeenLiveWaits', async () => {
    const { shown } = await followed();
    page.server.refuse('123');
    page.server.closeAll(4200);
    await settle();
    expect(page.attempts()).toBe(2);
    page.server.closeAll(4200);
    await settle();
    expect(page.attempts()).toBe(2);
    expect(shown.connection().retryAt).toBe(Date.now() + PAUSE_MS);
  });
});

describe('pauses', () => {
  /** The next pauses, whose attempts fail. */
  async function pauses(shown: Showtime, count: number): Promise<number[]> {
    const found: number[] = [];
    for (let n = 0; n < count; n++) {
      const pause = (shown.connection().retryAt ?? 0) - Date.now();
      found.push(pause);
      await settle(pause);
    }
    return found;
  }

  test('GrowWithTheOutageToTwentySeconds', async () => {
    const { shown } = await followed();
    await settle(60_000);
    vi.spyOn(Math, 'random').mockReturnValue(1);
    page.server.refuseConnections(true);
    page.server.closeAll(1006);
    await settle();
    expect(await pauses(shown, 7)).toEqual([1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000]);
  });

  test('GrowFromTheFirstAttemptOfAPageThatNeverConnected', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    page.server.refuseConnections(true);
    const { shown } = await followed();
    expect(await pauses(shown, 4)).toEqual([1_000, 1_000, 2_000, 4_000]);
  });

  test('AreHalfOfTheOutageAtLeast', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    page.server.refuseConnections(true);
    const { shown } = await followed();
    expect((await pauses(shown, 5)).slice(0, 4)).toEqual([100, 100, 100, 150]);
    await settle(100_000);
    expect(Math.max(...(await pauses(shown, 3)))).toBe(10_000);
  });

  test.each([4100, 4129, 4199])('After%iGrowWithTheOutageToo', async (code) => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { shown } = await followed();
    const found: number[] = [];
    for (let n = 0; n < 4; n++) {
      page.server.closeAll(code);
      await settle();
      const pause = (shown.connection().retryAt ?? 0) - Date.now();
      found.push(pause);
      await settle(pause);
      expect(shown.connection().status).toBe('live');
    }
    expect(found).toEqual([3_000, 3_000, 6_000, 12_000]);
  });

  test('GrowWhileSocketsOpenAndAreLostAtOnce', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { shown } = await followed();
    const found: number[] = [];
    for (let n = 0; n < 5; n++) {
      page.server.closeAll(1006);
      await settle();
      const pause = (shown.connection().retryAt ?? 0) - Date.now();
      found.push(pause);
      await settle(pause);
    }
    expect(found).toEqual([1_000, 1_000, 2_000, 4_000, 8_000]);
  });

  test.each([
    [9_999, 30_000],
    [10_000, 1_000],
  ])('AfterASocketThatWasOpenFor%iMsTheNextIs%iMsAtMost', async (openMs, mostMs) => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    page.server.refuseConnections(true);
    const { shown } = await followed();
    await pauses(shown, 5);
    page.server.refuseConnections(false);
    await settle(Number(shown.connection().retryAt) - Date.now());
    await settle(openMs);
    page.server.closeAll(1006);
    await settle();
    const pause = Number(shown.connection().retryAt) - Date.now();
    expect(pause).toBeLessThanOrEqual(mostMs);
    expect(pause > 1_000).toBe(openMs < 10_000);
  });

  test('BeginAnewWithWhoFollowsAnew', async () => {
    page.server.refuseConnections(true);
    const { shown, release } = await followed();
    await settle(20_000);
    expect(shown.connection().retryAt).toBeGreaterThan(Date.now() + PAUSE_MS);
    release();
    await settle(1_000);
    expect(shown.connection().status).toBe('idle');
    shown.follow();
    await settle();
    expect(shown.connection().retryAt).toBe(Date.now() + PAUSE_MS);
  });

  test('ReconnectDoesNotWait', async () => {
    page.server.refuseConnections(true);
    const { shown } = await followed();
    page.server.refuseConnections(false);
    shown.reconnect();
    await settle();
    expect(shown.connection().status).toBe('live');
    shown.reconnect();
    await settle(60_000);
    expect(page.attempts()).toBe(2);
  });
});

describe('several showtimes', () => {
  test('OneThatJoinsAnOpenSocketIsConnectingThenLive', async () => {
    await followed('123');
    const { shown } = await followed('124');
    expect(shown.connection().status).toBe('live');
    expect(page.attempts()).toBe(1);
  });

  test('OneThatJoinsDuringAPauseHearsOfIt', async () => {
    page.server.refuseConnections(true);
    const { shown: first } = await followed('123');
    const { shown: second } = await followed('124');
    expect(second.connection()).toEqual(first.connection());
    page.server.refuseConnections(false);
    await settle(PAUSE_MS);
    expect(second.connection().status).toBe('live');
  });

  test('AListenerThatReconnectsAtOnceLeavesAllAlike', async () => {
    const { shown: first } = await followed('123');
    const { shown: second } = await followed('124');
    let asked = false;
    first.onConnection(() => {
      if (asked || !first.connection().retryAt) return;
      asked = true;
      page.server.goStale();
      first.reconnect();
    });
    const retries: unknown[] = [];
    second.onConnection(() => retries.push(second.connection().retryAt));
    page.server.closeAll(1006);
    await settle();
    expect(page.attempts()).toBe(2);
    expect(new Set(retries)).toEqual(new Set([null]));
  });

  test('AnotherThatBecomesLiveDoesNotSetBackForHowLongItWorked', async () => {
    page.server.refuseConnections(true);
    const { shown } = await followed('123');
    page.server.refuseConnections(false);
    await settle(PAUSE_MS);
    await settle(9_000);
    await followed('124');
    await settle(1_000);
    page.server.closeAll(1006);
    await settle();
    expect(shown.connection().retryAt).toBe(Date.now() + PAUSE_MS);
  });
});

describe('the watchdog', () => {
  test('HeartbeatsKeepAQuietSocket', async () => {
    const { shown } = await followed();
    await settle(600_000);
    expect(page.attempts()).toBe(1);
    expect(shown.connection().status).toBe('live');
  });

  test('ASilentSocketIsDroppedAfter35Seconds', async () => {
    const { shown } = await followed();
    muteServer();
    await settle(34_999);
    expect(shown.connection().status).toBe('live');
    await settle(1);
    expect(shown.connection()).toMatchObject({
      status: 'reconnecting',
      error: { closeCode: 0, code: 'SILENT' },
    });
  });

  test('AnOldSocketsLateEventsFindNoOne', async () => {
    const sockets = recordSockets();
    const { shown } = await followed();
    muteServer();
    await settle(35_000);
    await settle(PAUSE_MS);
    expect(sockets).toHaveLength(2);
    const before = shown.connection();
    const [old] = sockets;
    const late = { type: 'stream_status', showtimeId: '123', live: false, timestamp: 1 };
    old?.onmessage?.(new MessageEvent('message', { data: JSON.stringify(late) }));
    old?.onclose?.(Object.assign(new Event('close'), { code: 4000 }) as CloseEvent);
    old?.onopen?.(new Event('open'));
    await settle();
    expect(shown.connection()).toBe(before);
    expect(subscribes()).toHaveLength(2);
  });
});

describe('what is sent', () => {
  test('SubscribeAsksForHeartbeatsAndOffersNoSubprotocol', async () => {
    const real = globalThis.WebSocket;
    const args: unknown[][] = [];
    globalThis.WebSocket = new Proxy(real, {
      construct(target, given: [string]) {
        args.push(given);
        return new target(...given);
      },
    });
    await followed();
    expect(args).toEqual([['wss://cinema.test/ws/seat-updates']]);
    expect(page.server.received).toEqual([
      { type: 'subscribe', showtimeId: '123', heartbeat: true, sessionId: 'me' },
    ]);
  });

  test('ResumesWhereItWas', async () => {
    page.server.lock('123', ['A01'], 'other');
    const { shown } = await followed();
    const resume = shown.position();
    page.server.closeAll(1006);
    page.server.unlock('123', ['A01'], 'other');
    await settle(PAUSE_MS);
    expect(subscribes()[1]).toMatchObject({ resume });
    expect(shown.connection().recovered).toBe(true);
    expect(shown.seat('A01').status).toBe('available');
  });

  test('ResumesFromAnInitialSnapshot', async () => {
    page.server.lock('123', ['A01'], 'other');
    page.server.lock('123', ['A02'], 'me');
    const { shown: first, release } = await followed();
    const position = first.position();
    release();
    if (!position) throw new Error('no position');
    const initialSnapshot = { ...position, bookedSeats: [], lockedSeats: ['A01', 'A02'] };
    const { shown } = await followed('123', { url: 'wss://other.test/', initialSnapshot });
    expect(subscribes()[1]).toMatchObject({ resume: position });
    expect(shown.connection().recovered).toBe(true);
    // The page's server did not say whose they are; the edge did.
    expect(shown.ownSeats().map((seat) => seat.seatId)).toEqual(['A02']);
  });
});

function recordSockets(): WebSocket[] {
  const sockets: WebSocket[] = [];
  globalThis.WebSocket = new Proxy(globalThis.WebSocket, {
    construct(target, args: [string]) {
      const socket = new target(...args);
      sockets.push(socket);
      return socket;
    },
  });
  return sockets;
}
