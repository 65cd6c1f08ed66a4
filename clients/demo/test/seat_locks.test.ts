// /api/seat-locks over HTTP, as the contract has it: the built site before a real seatlockd.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, Browser } from './browser';
import { Shop } from './programs';

const SEATS = '/api/seat-locks';
let shop: Shop;
let seat = 0;

beforeAll(async () => {
  // All calls come from one address here; the limit has a test of its own.
  shop = await Shop.open({
    SEATLOCK_DEMO_SHOPPERS: '1',
    SEATLOCK_SITE_RATE: '10000',
    SEATLOCK_SITE_BURST: '10000',
  });
}, 60_000);
afterAll(() => shop.close(), 30_000);

/** A browser with a session. */
async function shopper(): Promise<Browser> {
  const browser = new Browser(shop.url);
  await browser.page('/');
  return browser;
}

/** A seat of the hall of 2,000 that no other test has. */
function freshSeat(): string {
  seat += 1;
  const row = String.fromCharCode(65 + Math.floor(seat / 48));
  return row + String((seat % 48) + 1).padStart(2, '0');
}

function ids({ body }: Answer): string[] {
  return body.seats.map(({ seatId }) => seatId);
}

/** When the first seat's hold ends. */
function firstEnd({ body }: Answer): number {
  return body.seats[0]?.expiresAt ?? 0;
}

const IN = { showtimeId: '301' };

describe('the four calls', () => {
  test('lock, look, extend and give back, each with all that is held', async () => {
    const ann = await shopper();
    const [one, two] = [freshSeat(), freshSeat()];
    const locked = await ann.call('POST', SEATS, { ...IN, seatIds: [two, one] });
    expect(locked.status).toBe(200);
    expect(Object.keys(locked.body)).toEqual(['sessionId', 'seats', 'revision', 'serverTime']);
    expect(ids(locked)).toEqual([one, two]);
    expect(firstEnd(locked)).toBeGreaterThan(locked.body.serverTime);
    expect(Math.abs(locked.body.serverTime - Date.now())).toBeLessThan(60_000);

    const seen = await ann.call('GET', `${SEATS}?showtimeId=301`);
    expect(seen.body).toMatchObject({ ...locked.body, serverTime: expect.any(Number) });

    const extended = await ann.call('PATCH', SEATS, IN);
    expect(extended.status).toBe(200);
    expect(firstEnd(extended)).toBeGreaterThan(firstEnd(locked));
    expect(extended.body.revision).toBe(locked.body.revision + 1);

    const given = await ann.call('DELETE', `${SEATS}?showtimeId=301&seatId=${one}`);
    expect(ids(given)).toEqual([two]);
    const all = await ann.call('DELETE', SEATS, IN);
    expect(all.body.seats).toEqual([]);
    expect(all.headers.get('cache-control')).toBe('no-store');
  });

  test('one seat by seatId, and a swap in one step', async () => {
    const ann = await shopper();
    const [one, two] = [freshSeat(), freshSeat()];
    await ann.call('POST', SEATS, { ...IN, seatId: one });
    const swapped = await ann.call('POST', SEATS, { ...IN, seatId: two, releaseSeatIds: [one] });
    expect(swapped.body.seats).toEqual([{ seatId: two, expiresAt: expect.any(Number) }]);
  });

  test('giving back and extending name seats in the body too', async () => {
    const ann = await shopper();
    const seatIds = [freshSeat(), freshSeat()];
    await ann.call('POST', SEATS, { ...IN, seatIds });
    expect((await ann.call('PATCH', SEATS, { ...IN, seatIds })).status).toBe(200);
    expect((await ann.call('DELETE', SEATS, { ...IN, seatIds })).body.seats).toEqual([]);
  });
});

describe('refusals', () => {
  test('a taken seat is 409, and every seat in the way is named', async () => {
    const [ann, bob] = [await shopper(), await shopper()];
    const [one, two, three] = [freshSeat(), freshSeat(), freshSeat()];
    await ann.call('POST', SEATS, { ...IN, seatIds: [one, two] });
    const refused = await bob.call('POST', SEATS, { ...IN, seatIds: [one, two, three] });
    expect(refused.status).toBe(409);
    expect(refused.body).toEqual({
      code: 'SEAT_TAKEN',
      message: expect.any(String),
      seats: [
        { seatId: one, status: 'locked' },
        { seatId: two, status: 'locked' },
      ],
    });
    expect(JSON.stringify(refused.body)).not.toContain(ann.cookies.get('seatlock_session'));
    expect((await bob.call('GET', `${SEATS}?showtimeId=301`)).body.seats).toEqual([]);
  });

  test("another's seat is neither given back nor extended", async () => {
    const [ann, bob] = [await shopper(), await shopper()];
    const seatIds = [freshSeat()];
    await ann.call('POST', SEATS, { ...IN, seatIds });
    for (const method of ['DELETE', 'PATCH']) {
      const refused = await bob.call(method, SEATS, { ...IN, seatIds });
      expect([refused.status, refused.body.code]).toEqual([409, 'NOT_LOCK_HOLDER']);
    }
  });

  test('more seats than one shopper may hold', async () => {
    const ann = await shopper();
    const seatIds = Array.from({ length: 11 }, freshSeat);
    const refused = await ann.call('POST', SEATS, { ...IN, seatIds });
    expect([refused.status, refused.body.code]).toEqual([409, 'SESSION_SEAT_LIMIT']);
  });

  test.each([
    [
      'a showtime that is not there',
      { showtimeId: 'nope', seatId: 'A01' },
      404,
      'UNKNOWN_SHOWTIME',
    ],
    ['a seat that the hall has not', { ...IN, seatId: 'Z99' }, 404, 'UNKNOWN_SEAT'],
    [
      'a seat to release that the hall has not',
      { ...IN, seatId: 'A01', releaseSeatIds: ['Z99'] },
      404,
      'UNKNOWN_SEAT',
    ],
    ['no showtime', { seatId: 'A01' }, 400, 'INVALID_FIELD'],
    ['a showtime that is no text', { showtimeId: 301, seatId: 'A01' }, 400, 'INVALID_FIELD'],
    ['no seats', IN, 400, 'INVALID_FIELD'],
    ['an empty list', { ...IN, seatIds: [] }, 400, 'INVALID_FIELD'],
    ['seats that are no texts', { ...IN, seatIds: [1] }, 400, 'INVALID_FIELD'],
    ['seats named twice', { ...IN, seatId: 'A01', seatIds: ['A02'] }, 400, 'INVALID_FIELD'],
    ['101 seats', { ...IN, seatIds: Array(101).fill('A01') }, 400, 'INVALID_FIELD'],
    ['a list', [], 400, 'INVALID_FIELD'],
  ])('%s', async (_, body, status, code) => {
    const refused = await (await shopper()).call('POST', SEATS, body);
    expect([refused.status, refused.body.code]).toEqual([status, code]);
    expect(Array.isArray(refused.body.seats)).toBe(true);
  });

  test('a seat that is not known is named', async () => {
    const refused = await (await shopper()).call('POST', SEATS, { ...IN, seatIds: ['A01', 'Z99'] });
    expect(refused.body.seats).toEqual([{ seatId: 'Z99', status: 'unknown' }]);
  });

  test('what is not JSON, and what is too long', async () => {
    const ann = await shopper();
    const text = { 'content-type': 'text/plain' };
    expect((await ann.call('POST', SEATS, { ...IN, seatId: 'A01' }, text)).status).toBe(415);
    const long = { ...IN, seatId: 'x'.repeat(17_000) };
    expect((await ann.call('POST', SEATS, long)).status).toBe(413);
  });
});

describe('who calls', () => {
  test('an id in a body or a query is ignored: the cookie alone says', async () => {
    const [ann, bob] = [await shopper(), await shopper()];
    const held = await ann.call('POST', SEATS, { ...IN, seatId: freshSeat() });
    const { sessionId } = held.body;
    const body = { ...IN, seatId: freshSeat(), sessionId };
    const taken = await bob.call('POST', `${SEATS}?sessionId=${sessionId}`, body);
    expect(taken.body.sessionId).not.toBe(sessionId);
    expect(taken.body.seats).toHaveLength(1);
    const gone = await bob.call('DELETE', `${SEATS}?showtimeId=301&sessionId=${sessionId}`);
    expect(gone.status).toBe(200);
    expect((await ann.call('GET', `${SEATS}?showtimeId=301`)).body.seats).toHaveLength(1);
  });

  test('the cookie is made before the first page, and that page is of its shopper', async () => {
    const browser = new Browser(shop.url);
    const first = await browser.page('/showtimes/301');
    const [cookie = ''] = first.headers.getSetCookie();
    expect(cookie).toMatch(/^seatlock_session=/);
    expect(cookie).toMatch(/; HttpOnly/i);
    expect(cookie).toMatch(/; SameSite=lax/i);
    expect(cookie).not.toMatch(/; Secure/i);
    const { sessionId } = (await browser.call('GET', `${SEATS}?showtimeId=301`)).body;
    expect(first.text).toContain(sessionId);
    const second = await browser.page('/showtimes/301');
    expect(second.headers.getSetCookie()).toEqual([]);
    expect(second.text).toContain(sessionId);
  });

  test('the cookie is Secure where the page came by https', async () => {
    const browser = new Browser(shop.url, { 'x-forwarded-proto': 'https' });
    const [cookie] = (await browser.page('/')).headers.getSetCookie();
    expect(cookie).toMatch(/; Secure/i);
  });

  test('a cookie that was tampered with makes a new shopper', async () => {
    const ann = await shopper();
    const held = await ann.call('POST', SEATS, { ...IN, seatId: freshSeat() });
    const cookie = ann.cookies.get('seatlock_session') ?? '';
    ann.cookies.set('seatlock_session', `${cookie.slice(0, -4)}AAAA`);
    const seen = await ann.call('GET', `${SEATS}?showtimeId=301`);
    expect(seen.body.sessionId).not.toBe(held.body.sessionId);
    expect(seen.body.seats).toEqual([]);
    expect(ann.cookies.get('seatlock_session')).not.toMatch(/AAAA$/);
  });

  test('?as=NAME is another shopper in the same browser, the same one each time', async () => {
    const ann = await shopper();
    const seatId = freshSeat();
    const held = await ann.call('POST', SEATS, { ...IN, seatId });
    const refused = await ann.call('POST', `${SEATS}?as=bob`, { ...IN, seatId });
    expect(refused.status).toBe(409);
    const bob = await ann.call('GET', `${SEATS}?showtimeId=301&as=bob`);
    expect(bob.body.sessionId).not.toBe(held.body.sessionId);
    expect((await ann.call('GET', `${SEATS}?showtimeId=301&as=BOB`)).body.sessionId).toBe(
      bob.body.sessionId,
    );
    expect((await ann.page('/showtimes/301?as=bob')).text).toContain(bob.body.sessionId);
    expect((await ann.call('GET', `${SEATS}?showtimeId=301`)).body.sessionId).toBe(
      held.body.sessionId,
    );
  });

  test('a name that is none, and a crowd of names, are refused', async () => {
    const ann = await shopper();
    expect((await ann.page('/?as=a%20b')).status).toBe(400);
    for (let i = 0; i < 20; i++) {
      expect((await ann.page(`/?as=shopper${i}`)).status).toBe(200);
    }
    expect((await ann.page('/?as=one-more')).status).toBe(400);
    expect((await ann.page('/?as=shopper3')).status).toBe(200);
  });
});

test.each([
  ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['another site that says its origin alone', { origin: 'https://evil.example' }],
  ['another host of the site', { 'sec-fetch-site': 'same-site' }],
])('%s may not lock, extend or give back', async (_, headers) => {
  const ann = await shopper();
  const seatId = freshSeat();
  await ann.call('POST', SEATS, { ...IN, seatId });
  for (const method of ['POST', 'PATCH', 'DELETE']) {
    const refused = await ann.call(method, SEATS, { ...IN, seatId }, headers);
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN_ORIGIN']);
  }
  const seen = await ann.call('GET', `${SEATS}?showtimeId=301`);
  expect(seen.body.seats).toHaveLength(1);
  const own = { origin: shop.url, 'sec-fetch-site': 'same-origin' };
  expect((await ann.call('DELETE', SEATS, { ...IN, seatId }, own)).status).toBe(200);
});

test('without the seat service: 503, when to come back, and pages all the same', async () => {
  const ann = await shopper();
  const seatId = freshSeat();
  const held = await ann.call('POST', SEATS, { ...IN, seatId });
  await shop.stopService();
  const calls = [
    await ann.call('GET', `${SEATS}?showtimeId=301`),
    await ann.call('POST', SEATS, { ...IN, seatId: freshSeat() }),
  ];
  for (const { status, headers, body } of calls) {
    expect(status).toBe(503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Object.keys(body)).toEqual(['code', 'message', 'seats']);
  }
  const page = await ann.page('/showtimes/301');
  expect(page.status).toBe(200);
  expect(page.text).toContain('The seat service is away');
  await shop.startService();
  await expect
    .poll(async () => (await ann.call('GET', `${SEATS}?showtimeId=301`)).body.seats, {
      timeout: 30_000,
    })
    .toEqual(held.body.seats);
}, 90_000);
