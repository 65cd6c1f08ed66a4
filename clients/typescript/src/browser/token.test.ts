// Tokens in the page: when they are fetched, what carries them, and what becomes of bad ones.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { showtime } from './index.js';
import { openPage, type Page, settle } from './test/page.js';

const LIFE_MS = 600_000;

let page: Page;
beforeEach(() => {
  page = openPage({ requireToken: true });
});
afterEach(() => page.leave());

/** What a site does: a token of its own for each call. */
const siteToken = (lifeMs = LIFE_MS, sessionId = 'me') =>
  vi.fn(async () => page.server.token({ sessionId, lifeMs }));

async function follow(token: () => Promise<string>, showtimeId = '123', sessionId = 'me') {
  const shown = showtime(showtimeId, { sessionId, token });
  const leave = shown.follow();
  await settle();
  return { shown, leave, state: () => shown.connection() };
}

const subscribes = () => page.server.received.filter((frame) => frame.type === 'subscribe');

describe('a page with a token', () => {
  test('is the session that the token names', async () => {
    page.server.lock('123', ['A06'], 'me');
    const { shown, state } = await follow(siteToken());
    expect(state().status).toBe('live');
    expect(shown.ownSeats()).toMatchObject([{ seatId: 'A06' }]);
  });

  test('asks for one token for all of its showtimes', async () => {
    const token = siteToken();
    for (const id of ['1', '2', '3']) await follow(token, id);
    expect(token).toHaveBeenCalledTimes(1);
    expect(subscribes()).toHaveLength(3);
  });

  test('calls the function that was given last', async () => {
    const first = siteToken();
    const { shown } = await follow(first);
    const second = siteToken();
    expect(showtime('123', { sessionId: 'me', token: second })).toBe(shown);
    await settle(LIFE_MS);
    expect(first).toHaveBeenCalledTimes(1);
    expect(second).toHaveBeenCalledTimes(1);
  });

  test('without one hears so, and a function that comes later helps', async () => {
    const shown = showtime('123', { sessionId: 'me' });
    shown.follow();
    await settle();
    expect(shown.connection()).toMatchObject({
      status: 'stale',
      error: { code: 'TOKEN_REQUIRED' },
      retryAt: null,
    });
    showtime('123', { sessionId: 'me', token: siteToken() });
    await settle();
    expect(shown.connection()).toMatchObject({ status: 'live', error: null });
  });

  test('fetches none once nobody follows', async () => {
    const token = siteToken();
    const { leave } = await follow(token);
    leave();
    await settle(3 * LIFE_MS);
    expect(token).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('before a token ends', () => {
  test('the next one is sent for every showtime, and nothing comes again', async () => {
    const token = siteToken();
    const first = await follow(token, '1');
    const updates = vi.fn();
    first.shown.onUpdate(updates);
    await follow(token, '2');
    const sockets = page.attempts();
    const turns = vi.fn();
    first.shown.onConnection(turns);
    await settle(LIFE_MS * 0.81);
    expect(token).toHaveBeenCalledTimes(2);
    const [, , ...refreshes] = subscribes();
    expect(refreshes.map((frame) => frame.showtimeId)).toEqual(['1', '2']);
    await settle(3 * LIFE_MS);
    expect(page.attempts()).toBe(sockets);
    expect(turns).not.toHaveBeenCalled();
    expect(updates).not.toHaveBeenCalled();
    page.server.lock('1', ['A06'], 'other');
    await settle();
    expect(updates).toHaveBeenCalledTimes(1);
  });

  test('the page goes by the clock of the edge, not by its own', async () => {
    for (const wrongMs of [-7_200_000, 7_200_000]) {
      page.leave();
      const rightNow = () => 1_800_000_000_000 + performance.now();
      page = openPage({ requireToken: true, now: rightNow });
      page.setClock(wrongMs);
      const token = siteToken();
      const { state } = await follow(token);
      const sockets = page.attempts();
      await settle(10 * LIFE_MS);
      expect(state().status).toBe('live');
      expect(page.attempts()).toBe(sockets);
      expect(token.mock.calls.length).toBeLessThan(16);
    }
  });

  test('a function that fails is called again, and the old token is used meanwhile', async () => {
    const token = siteToken();
    const { state } = await follow(token);
    token.mockRejectedValueOnce(new Error('site away'));
    token.mockRejectedValueOnce(new Error('site away'));
    await settle(LIFE_MS);
    expect(token.mock.calls.length).toBeGreaterThanOrEqual(4);
    expect(state()).toMatchObject({ status: 'live', error: null });
    expect(page.attempts()).toBe(1);
  });
});

describe('a function that fails', () => {
  test('shows stale, and is called again after growing pauses', async () => {
    const at: number[] = [];
    const token = vi.fn(async (): Promise<string> => {
      at.push(performance.now());
      throw new Error('site away');
    });
    const { state } = await follow(token);
    expect(state()).toMatchObject({
      status: 'reconnecting',
      stale: true,
      error: { closeCode: 0, code: 'TOKEN', message: 'Error: site away' },
      retryAt: Date.now() + 1_500,
    });
    await settle(300_000);
    expect(page.attempts()).toBe(0);
    const pauses = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    expect(pauses.slice(0, 7)).toEqual([1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000]);
    token.mockImplementation(siteToken());
    await settle(45_000);
    expect(state()).toMatchObject({ status: 'live', error: null });
  });

  test.each<[string, () => Promise<string>]>([
    [
      'throws',
      () => {
        throw new Error('at once');
      },
    ],
    ['gives no string', async () => undefined as unknown as string],
    ['gives an empty string', async () => ''],
    ['gives one that no message has room for', async () => 'x'.repeat(3_073)],
    ['never ends', () => new Promise(() => {})],
  ])('one that %s has failed', async (_, token) => {
    const { state } = await follow(token);
    await settle(10_000);
    expect(state().error?.code).toBe('TOKEN');
    expect(page.attempts()).toBe(0);
  });

  test('is called at once if the shopper asks for it', async () => {
    const token = siteToken().mockRejectedValueOnce(new Error('site away'));
    const { shown, state } = await follow(token);
    shown.reconnect();
    await settle();
    expect(state().status).toBe('live');
  });

  test('is called soon after the network came back', async () => {
    const token = siteToken();
    for (let n = 0; n < 6; n++) token.mockRejectedValueOnce(new Error('no network'));
    const { state } = await follow(token);
    await settle(47_000);
    expect(state().status).toBe('reconnecting');
    page.network(true);
    await settle(500);
    expect(state().status).toBe('live');
  });

  test('and answers too late is not heard', async () => {
    let late = (_: string) => {};
    const token = siteToken().mockImplementationOnce(() => new Promise((done) => (late = done)));
    const { state } = await follow(token);
    await settle(10_000);
    late('too late');
    await settle(2_000);
    expect(state().status).toBe('live');
    expect(subscribes().map((frame) => frame.token)).not.toContain('too late');
  });
});

describe('a token that the edge does not take', () => {
  test('is replaced once: 4001', async () => {
    const token = siteToken();
    const { state } = await follow(token);
    page.server.changeTokenKey();
    page.server.closeAll(1006);
    await settle(5_000);
    expect(token).toHaveBeenCalledTimes(2);
    expect(state().status).toBe('live');
  });

  test('stops the page if the next one is rejected too, until somebody asks', async () => {
    const token = vi.fn(async () => 'not.a.token');
    const { shown, state } = await follow(token);
    await settle(120_000);
    expect(token).toHaveBeenCalledTimes(2);
    expect(page.attempts()).toBe(2);
    expect(state()).toMatchObject({
      status: 'closed',
      error: { closeCode: 4001, code: 'TOKEN_REJECTED', message: 'bad token' },
      retryAt: null,
    });
    token.mockImplementation(siteToken());
    shown.reconnect();
    await settle();
    expect(state()).toMatchObject({ status: 'live', error: null });
  });

  test('is for another showtime: the page does not come back', async () => {
    const token = vi.fn(async () => page.server.token({ showtimes: ['456'] }));
    const { state } = await follow(token);
    await settle(120_000);
    expect(page.attempts()).toBe(1);
    expect(state()).toMatchObject({ status: 'closed', error: { closeCode: 4003 } });
  });

  test('has ended: the page comes back with a fresh one and resumes', async () => {
    const token = siteToken();
    const { state } = await follow(token);
    // The machine slept: its timers did not run, and the edge's did.
    page.server.closeAll(4202);
    await settle(3_000);
    expect(token).toHaveBeenCalledTimes(2);
    expect(state()).toMatchObject({ status: 'live', recovered: true });
  });

  test('ended while the edge was away: it is not sent at all', async () => {
    const token = siteToken();
    await follow(token);
    page.server.refuseConnections(true);
    page.server.closeAll(1006);
    await settle(2 * LIFE_MS);
    expect(token).toHaveBeenCalledTimes(2);
    page.server.refuseConnections(false);
    await settle(40_000);
    const tokens = new Set(subscribes().map((frame) => frame.token));
    expect(tokens.size).toBe(2);
    expect(page.server.connections).toBe(1);
  });
});
