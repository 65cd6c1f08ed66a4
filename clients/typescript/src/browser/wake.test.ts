// What a followed showtime does when the network comes or goes, or the page is looked at again.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Showtime } from './index.js';
import { followed, muteServer, openPage, PAUSE_MS, type Page, settle } from './test/page.js';

let page: Page;
beforeEach(() => {
  page = openPage();
});
afterEach(() => page.leave());

const pings = () => page.server.received.filter((frame) => frame.type === 'ping').length;

describe('the network', () => {
  test('OfflineThereAreAttemptsToo', async () => {
    const { shown } = await followed();
    page.network(false);
    page.server.refuseConnections(true);
    page.server.closeAll(1006);
    await settle(600_000);
    expect(shown.connection()).toMatchObject({
      status: 'reconnecting',
      error: { code: 'OFFLINE' },
      retryAt: expect.any(Number),
    });
    const before = page.attempts();
    await settle(200_000);
    // Between 10 s and 20 s apart.
    expect(page.attempts() - before).toBeGreaterThanOrEqual(9);
    expect(page.attempts() - before).toBeLessThanOrEqual(20);
  });

  test('ADeviceWithoutNetworkComesBackToItsOwnEdge', async () => {
    const { shown } = await followed();
    page.network(false);
    page.server.refuseConnections(true);
    page.server.closeAll(1006);
    await settle(60_000);
    page.server.refuseConnections(false);
    await settle(20_000);
    expect(shown.connection()).toMatchObject({ status: 'live', error: null, recovered: true });
  });

  test('OnlineTriesWithinHalfASecond', async () => {
    const { shown } = await followed();
    page.network(false);
    page.server.refuseConnections(true);
    page.server.closeAll(1006);
    await settle(600_000);
    page.server.refuseConnections(false);
    page.network(true);
    expect(shown.connection().error).toMatchObject({ code: 'CLOSED', closeCode: 1006 });
    const before = page.attempts();
    await settle(249);
    expect(page.attempts()).toBe(before); // others of the network wake at the same moment
    await settle(1);
    expect(shown.connection()).toMatchObject({ status: 'live', error: null, recovered: true });
  });

  test('GoingOfflineInAPauseSaysSoAndLeavesIt', async () => {
    page.server.refuseConnections(true);
    const { shown } = await followed();
    const { retryAt } = shown.connection();
    await settle(100);
    page.network(false);
    expect(shown.connection()).toMatchObject({ error: { code: 'OFFLINE' }, retryAt });
    await settle(PAUSE_MS - 100);
    expect(page.attempts()).toBe(2);
  });

  test('ASocketThatWorksOfflineIsKept', async () => {
    const { shown } = await followed();
    page.network(false);
    await settle(60_000);
    expect(page.attempts()).toBe(1);
    expect(shown.connection().status).toBe('live');
  });

  test('ASocketThatDiedWithTheNetworkIsNoticedInFiveSeconds', async () => {
    const { shown } = await followed();
    muteServer();
    page.network(false);
    page.network(true);
    await settle(5_000);
    expect(shown.connection().error?.code).toBe('SILENT');
  });

  test('TheWindowIsLeftAsItWas', async () => {
    const { release } = await followed();
    expect(page.windowListeners()).toBeGreaterThan(0);
    release();
    await settle(1_000);
    expect(page.windowListeners()).toBe(0);
  });
});

describe('a wake', () => {
  const lookAt = [
    ['visibilitychange', () => page.look(false)],
    ['pageshow', () => page.happens('pageshow')],
    ['focus', () => page.happens('focus')],
  ] as const;
  const all = [...lookAt, ['online', () => page.network(true)]] as const;

  /** An edge that is away for so long that pauses are many seconds, and an attempt just failed. */
  async function longAway(shown: Showtime): Promise<number> {
    page.server.refuseConnections(true);
    page.server.closeAll(1006);
    await settle(120_000);
    await settle(Number(shown.connection().retryAt) - Date.now());
    return page.attempts();
  }

  test.each(all)('%s: a socket that died is noticed in five seconds', async (_name, wake) => {
    const { shown } = await followed();
    await settle(2_000);
    muteServer();
    wake();
    await settle(4_999);
    expect(shown.connection().status).toBe('live');
    await settle(1);
    expect(shown.connection().error?.code).toBe('SILENT');
  });

  test.each(all)('%s: a socket that works is asked once and kept', async (_name, wake) => {
    const { shown } = await followed();
    for (let n = 0; n < 20; n++) wake();
    await settle(60_000);
    expect(page.server.received.filter((frame) => frame.type === 'ping')).toHaveLength(1);
    expect(page.attempts()).toBe(1);
    expect(shown.connection().status).toBe('live');
  });

  test.each(all)('%s: a socket that dies between two of them is noticed', async (_name, wake) => {
    const { shown } = await followed();
    await settle(2_000);
    wake();
    await settle(120_000);
    muteServer();
    wake();
    await settle(5_000);
    expect(shown.connection().error?.code).toBe('SILENT');
  });

  test.each(all)('%s: again and again, one ping a second', async (_name, wake) => {
    await followed();
    for (let n = 0; n < 250; n++) {
      wake();
      await settle(40);
    }
    expect(pings()).toBeGreaterThanOrEqual(9);
    expect(pings()).toBeLessThanOrEqual(11);
    expect(page.attempts()).toBe(1);
  });

  test.each(all)('%s: just after a ping, the next one comes in its time', async (_name, wake) => {
    const { shown } = await followed();
    await settle(2_000);
    wake();
    await settle(10);
    muteServer();
    wake();
    await settle(5_990);
    expect(pings()).toBe(2);
    expect(shown.connection().error?.code).toBe('SILENT');
  });

  test.each(all)('%s: in a pause that it does not shorten nobody hears', async (_name, wake) => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    page.server.refuseConnections(true);
    const { shown } = await followed();
    const monotonic = performance.now;
    let n = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => monotonic.call(performance) + n++ / 100);
    const told = vi.fn();
    shown.onConnection(told);
    for (let times = 0; times < 50; times++) wake();
    expect(told).not.toHaveBeenCalled();
  });

  test.each(all)('%s: a pause is cut short, but not below 100 ms', async (_name, wake) => {
    const { shown } = await followed();
    const before = await longAway(shown);
    page.server.refuseConnections(false);
    vi.spyOn(Math, 'random').mockReturnValue(0);
    wake();
    await settle(99);
    expect(page.attempts()).toBe(before);
    await settle(1);
    expect(shown.connection().status).toBe('live');
  });

  test.each(all.flatMap(([name, wake]) => [4100, 4129].map((code) => [name, code, wake] as const)))(
    '%s: after %i never within the half second that it asked for',
    async (_name, code, wake) => {
      vi.spyOn(Math, 'random').mockReturnValue(1);
      const { shown } = await followed();
      page.server.closeAll(code);
      await settle();
      for (let n = 0; n < 5; n++) {
        wake();
        await settle(99);
      }
      expect(page.attempts()).toBe(1);
      await settle(505);
      expect(shown.connection().status).toBe('live');
    },
  );

  test.each(lookAt)('%s: again and again, one attempt a second', async (_name, wake) => {
    const { shown } = await followed();
    const before = await longAway(shown);
    for (let n = 0; n < 100; n++) {
      wake();
      await settle(100);
    }
    expect(page.attempts() - before).toBeGreaterThanOrEqual(9);
    expect(page.attempts() - before).toBeLessThanOrEqual(11);
  });

  test.each(all)('%s: never makes a pause longer', async (_name, wake) => {
    page.server.refuseConnections(true);
    const { shown } = await followed();
    await settle(PAUSE_MS - 50);
    const { retryAt } = shown.connection();
    wake();
    expect(Number(shown.connection().retryAt)).toBeLessThanOrEqual(Number(retryAt));
  });

  test('HidingThePageIsNone', async () => {
    page.server.refuseConnections(true);
    await followed();
    await settle(200);
    page.look(true);
    await settle();
    expect(page.attempts()).toBe(1);
  });

  test('NoneEndsAConnectionThatWasToldNotToComeBack', async () => {
    const { shown } = await followed();
    page.server.closeAll(4003);
    await settle();
    for (const [, wake] of all) wake();
    await settle(60_000);
    expect(page.attempts()).toBe(1);
    expect(shown.connection().status).toBe('closed');
  });
});
