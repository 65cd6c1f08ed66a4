// A showtime that the edge refuses for now: shown as stale, and asked for again when it may be.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { followed, muteServer, openPage, PAUSE_MS, type Page, settle } from './test/page.js';

let page: Page;
beforeEach(() => {
  page = openPage();
});
afterEach(() => page.leave());

const sent = (type: string) => page.server.received.filter((frame) => frame.type === type);
const subscribes = () => sent('subscribe').length;
const refused = { code: 'SHOWTIME_UNAVAILABLE', retryAfterMs: 4_000 };
const refusedError = { closeCode: 0, code: 'SHOWTIME_UNAVAILABLE' };

describe('a showtime that the edge refuses', () => {
  test.each(['SHOWTIME_UNAVAILABLE', 'RATE_LIMITED'])(
    '%s: stale, then asked for again',
    async (code) => {
      page.server.refuse('123', { code, retryAfterMs: 4_000 });
      const { shown } = await followed();
      expect(shown.connection()).toMatchObject({
        status: 'stale',
        stale: true,
        error: { closeCode: 0, code },
        retryAt: Date.now() + 6_000, // random is 0.5
      });
      page.server.allow('123');
      await settle(5_999);
      expect(subscribes()).toBe(1);
      await settle(1);
      expect(shown.connection()).toMatchObject({ status: 'live', error: null, retryAt: null });
      await settle(600_000);
      expect(subscribes()).toBe(2);
    },
  );

  test('KeepsItsSeatsAndPositionAndResumes', async () => {
    page.server.lock('123', ['A01'], 'me');
    page.server.book('123', ['A02']);
    const { shown } = await followed();
    const position = shown.position();
    page.server.refuse('123', refused);
    page.server.lock('123', ['A03'], 'other');
    await settle();
    expect(shown.connection()).toMatchObject({ status: 'stale', error: refusedError });
    expect(shown.position()).toEqual(position);
    expect(shown.ownSeats()).toHaveLength(1);
    expect(shown.seat('A02').status).toBe('booked');
    page.server.allow('123');
    await settle(8_000);
    expect(sent('subscribe')[1]).toMatchObject({ resume: position });
    expect(shown.connection()).toMatchObject({ status: 'live', recovered: true });
    expect(shown.seat('A03').status).toBe('locked');
  });

  test('TheOthersOfTheConnectionGoOn', async () => {
    const { shown: other } = await followed('124');
    const { shown } = await followed('123');
    page.server.refuse('123', refused);
    page.server.lock('124', ['A01'], 'other');
    await settle();
    expect(shown.connection().status).toBe('stale');
    expect(other.connection()).toMatchObject({ status: 'live', error: null });
    expect(other.seat('A01').status).toBe('locked');
    expect(page.attempts()).toBe(1);
  });

  test('IsAskedForOnAndOnAndShownAllTheWhile', async () => {
    page.server.refuse('123', refused);
    const { shown } = await followed();
    await settle(60_000);
    expect(subscribes()).toBe(11);
    expect(shown.connection()).toMatchObject({ status: 'stale', error: refusedError });
  });

  test('WithoutASaneTimeItWaitsAllTheSame', async () => {
    page.server.refuse('123', { retryAfterMs: null });
    const { shown } = await followed();
    expect(shown.connection().retryAt).toBe(Date.now() + 1_500);
    page.server.refuse('123', { retryAfterMs: 1e12 });
    await settle(1_500);
    expect(shown.connection().retryAt).toBe(Date.now() + 42_500);
  });

  test.each([-3_600_000, 3_600_000])(
    'WhenItIsAskedForMovesWithADeviceClockThatIsSetBy%iMs',
    async (byMs) => {
      page.server.refuse('123', refused);
      const { shown } = await followed();
      page.setClock(byMs);
      shown.serverNow();
      await settle();
      expect(shown.connection().retryAt).toBe(Date.now() + 6_000);
      page.server.allow('123');
      await settle(6_000);
      expect(shown.connection().status).toBe('live');
    },
  );

  test('LeavingEndsTheWait', async () => {
    page.server.refuse('123', refused);
    const { shown, release } = await followed();
    release();
    await settle(1_000);
    expect(shown.connection()).toMatchObject({ status: 'idle', error: null, retryAt: null });
    await settle(60_000);
    expect(subscribes()).toBe(1);
    page.server.allow('123');
    shown.follow();
    await settle();
    expect(shown.connection().status).toBe('live');
  });

  test('ASocketThatComesBackMeanwhileDoesNotGoAroundTheWait', async () => {
    const { shown: other } = await followed('124');
    const { shown } = await followed('123');
    page.server.refuse('123', refused);
    await settle();
    const { retryAt } = shown.connection();
    page.server.closeAll(1006);
    await settle();
    expect(shown.connection().status).toBe('reconnecting');
    await settle(PAUSE_MS);
    expect(other.connection().status).toBe('live');
    expect(shown.connection()).toMatchObject({ status: 'stale', error: refusedError, retryAt });
    const asked = ['124', '123', '124'].map((showtimeId) => ({ showtimeId }));
    expect(sent('subscribe')).toMatchObject(asked);
    page.server.allow('123');
    await settle(Number(retryAt) - Date.now());
    expect(shown.connection().status).toBe('live');
    expect(subscribes()).toBe(4);
    await settle(60_000);
    expect(subscribes()).toBe(4);
  });

  test('AWaitThatEndsWithoutASocketIsASubscribeOfTheNextOne', async () => {
    const { shown } = await followed('123');
    page.server.refuse('123', refused);
    await settle();
    page.server.allow('123');
    page.server.refuseConnections(true);
    page.server.closeAll(1006);
    await settle(10_000);
    expect(shown.connection().status).toBe('reconnecting');
    expect(Number(shown.connection().retryAt)).toBeGreaterThan(Date.now());
    page.server.refuseConnections(false);
    await settle(20_000);
    expect(shown.connection().status).toBe('live');
    expect(subscribes()).toBe(2);
  });

  /** A page on its second socket, on which it may subscribe to nothing for long. */
  async function waitsOnANewSocket() {
    const { shown } = await followed();
    page.server.refuse('123', { retryAfterMs: 1e12 });
    page.server.closeAll(1006);
    await settle(1_000);
    expect(page.attempts()).toBe(2);
    expect(shown.connection()).toMatchObject({ status: 'stale', error: refusedError });
    return shown;
  }

  test('TheSocketIsKeptThoughNothingIsSubscribedToOnIt', async () => {
    await waitsOnANewSocket();
    await settle(40_000);
    expect(page.attempts()).toBe(2);
    expect(sent('ping')).toHaveLength(1);
    expect(subscribes()).toBe(1);
  });

  test('ASocketThatDiesMeanwhileIsNoticed', async () => {
    const shown = await waitsOnANewSocket();
    muteServer();
    await settle(35_000);
    expect(shown.connection().error?.code).toBe('SILENT');
  });

  test('TheLongestWaitEndsBeforeTheEdgeMissesAFirstSubscribe', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    await waitsOnANewSocket();
    await settle(59_000);
    expect(page.attempts()).toBe(2);
    expect(subscribes()).toBe(2);
  });

  test('WhatWasTooMuchForOneSocketIsOverWithIt', async () => {
    page.server.refuse('123', { code: 'RATE_LIMITED', retryAfterMs: 20_000 });
    const { shown } = await followed();
    page.server.allow('123');
    page.server.closeAll(1006);
    await settle(PAUSE_MS);
    expect(shown.connection()).toMatchObject({ status: 'live', error: null });
    await settle(60_000);
    expect(subscribes()).toBe(2);
  });

  test('LiveOfAnEdgeThatRefusedItMeansNothing', async () => {
    const { shown } = await followed();
    page.server.refuse('123', refused);
    page.server.send({ type: 'stream_status', showtimeId: '123', live: true, timestamp: 1 });
    await settle();
    expect(shown.connection().status).toBe('stale');
  });

  test('LeftWithinTheWaitNothingIsLeftOfIt', async () => {
    page.server.refuse('123', refused);
    const { shown, release } = await followed();
    release();
    await settle(1_000);
    expect(vi.getTimerCount()).toBe(0);
    page.server.allow('123');
    shown.follow();
    await settle();
    expect(shown.connection().status).toBe('live');
  });

  test('OnceItIsAskedForNoTimeIsShown', async () => {
    page.server.refuse('123', refused);
    const { shown } = await followed();
    muteServer();
    await settle(6_000);
    expect(subscribes()).toBe(2);
    expect(shown.connection()).toMatchObject({ status: 'stale', retryAt: null });
  });

  test('NoWakeGoesAroundTheWait', async () => {
    page.server.refuse('123', refused);
    await followed();
    page.look(false);
    page.network(true);
    page.happens('focus');
    page.happens('pageshow');
    await settle(5_999);
    expect(subscribes()).toBe(1);
  });

  test('ReconnectDoes', async () => {
    page.server.refuse('123', refused);
    const { shown } = await followed();
    page.server.allow('123');
    shown.reconnect();
    await settle();
    expect(shown.connection()).toMatchObject({ status: 'live', retryAt: null });
    await settle(60_000);
    expect(subscribes()).toBe(2);
    expect(page.attempts()).toBe(1);
  });

  test('ReconnectWithoutASocketDoesToo', async () => {
    page.server.refuse('123', refused);
    const { shown } = await followed();
    page.server.allow('123');
    page.server.closeAll(1006);
    await settle();
    shown.reconnect();
    await settle();
    expect(shown.connection().status).toBe('live');
    expect(subscribes()).toBe(2);
  });

  test('TooManyMessagesOfAConnectionAreAnotherMatter', async () => {
    const { shown } = await followed();
    page.server.send({ type: 'error', code: 'RATE_LIMITED', message: 'too many messages' });
    await settle(60_000);
    expect(shown.connection()).toMatchObject({ status: 'live', error: { code: 'RATE_LIMITED' } });
    expect(subscribes()).toBe(1);
  });
});
