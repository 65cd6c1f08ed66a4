// Orders, limits, and what a restart of the site keeps: the built site before a real seatlockd.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { Browser } from './browser';
import { Shop } from './programs';

const SEATS = '/api/seat-locks';
const LIMIT = { SEATLOCK_SITE_RATE: '1', SEATLOCK_SITE_BURST: '15' };
const PROXIES = { SEATLOCK_SITE_TRUSTED_PROXIES: '127.0.0.1' };
let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open({ ...LIMIT, ...PROXIES });
}, 60_000);
afterAll(() => shop.close(), 30_000);

let address = 0;
/** A browser with an address of its own, as the proxy that is trusted here says it. */
function browser(): Browser {
  address += 1;
  return new Browser(shop.url, { 'x-forwarded-for': `203.0.113.${address}` });
}

function order(seatIds: string[], orderKey: string): object {
  return { showtimeId: '123', seatIds, name: 'Ann Example', orderKey };
}

test('seats that are held are sold once, however often that is asked for', async () => {
  const ann = browser();
  const seatIds = ['A01', 'A02'];
  await ann.call('POST', SEATS, { showtimeId: '123', seatIds });
  const wanted = order(seatIds, 'key-of-16-letters');
  const [one, two] = await Promise.all([
    ann.call('POST', '/api/orders', wanted),
    ann.call('POST', '/api/orders', wanted),
  ]);
  expect(one.status).toBe(200);
  expect(two.body).toEqual(one.body);
  expect((await ann.call('POST', '/api/orders', wanted)).body).toEqual(one.body);
  expect((await ann.call('GET', `${SEATS}?showtimeId=123`)).body.seats).toEqual([]);

  const page = await ann.page(`/orders/${one.body.orderId}`);
  expect(page.text).toContain('Your seats are booked');
  expect(page.text).toContain('€24.00');
  expect((await browser().page(`/orders/${one.body.orderId}`)).status).toBe(404);

  const other = await ann.call('POST', '/api/orders', order(['A03'], 'key-of-16-letters'));
  expect([other.status, other.body.code]).toEqual([409, 'ORDER_MISMATCH']);
});

test('what another holds or bought is not sold, and the order says so', async () => {
  const [ann, bob] = [browser(), browser()];
  await ann.call('POST', SEATS, { showtimeId: '123', seatIds: ['B01'] });
  const refused = await bob.call(
    'POST',
    '/api/orders',
    order(['B01', 'B02'], 'key-of-bob-number-1'),
  );
  expect(refused.status).toBe(409);
  expect(refused.body).toMatchObject({
    code: 'SEAT_TAKEN',
    seats: [{ seatId: 'B01', status: 'locked' }],
  });
  const locks = await bob.call('POST', SEATS, { showtimeId: '123', seatIds: ['B02'] });
  expect(locks.status).toBe(200);
});

test('an order whose answer was lost is settled by asking again', async () => {
  const ann = browser();
  await ann.call('POST', SEATS, { showtimeId: '123', seatIds: ['E01'] });
  const wanted = order(['E01'], 'key-of-the-lost-answer');
  await shop.stopService();
  const lost = await ann.call('POST', '/api/orders', wanted);
  expect(lost.status).toBe(503);
  expect(lost.headers.get('retry-after')).not.toBeNull();
  await shop.startService();
  const again = new Browser(shop.url, { 'x-forwarded-for': '203.0.113.200' });
  again.cookies.set('seatlock_session', ann.cookies.get('seatlock_session') ?? '');
  let bought = lost;
  await expect
    .poll(
      async () => {
        bought = await again.call('POST', '/api/orders', wanted);
        return bought.status;
      },
      { timeout: 20_000, interval: 1_500 },
    )
    .toBe(200);
  const page = await again.page(`/orders/${bought.body.orderId}`);
  expect(page.text).toContain('Your seats are booked');
}, 60_000);

test.each([
  ['no name', { name: ' ' }],
  ['half a character in its name', { name: 'a\ud800' }],
  ['a name that the database would cut', { name: 'a\u0000b' }],
  ['no key', { orderKey: 'short' }],
  ['no seats', { seatIds: [] }],
])('an order with %s is refused', async (_, change) => {
  const refused = await browser().call('POST', '/api/orders', {
    ...order(['C01'], 'key-of-16-letters'),
    ...change,
  });
  expect([refused.status, refused.body.code]).toEqual([400, 'INVALID_FIELD']);
});

test('an address that calls too often is told when to come back; others are not', async () => {
  const [ann, bob] = [browser(), browser()];
  const look = (who: Browser) => who.call('GET', `${SEATS}?showtimeId=123`);
  // At once, so that a slow machine does not fill the bucket meanwhile.
  const answers = await Promise.all(Array.from({ length: 40 }, () => look(ann)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.some(({ status }) => status === 200)).toBe(true);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.body.code).toBe('RATE_LIMITED');
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect((await look(bob)).status).toBe(200);
});

test('?as= makes nobody where it is not asked for by the environment', async () => {
  const ann = browser();
  const own = await ann.call('GET', `${SEATS}?showtimeId=123`);
  const bob = await ann.call('GET', `${SEATS}?showtimeId=123&as=bob`);
  expect(bob.body.sessionId).toBe(own.body.sessionId);
});

test('pages may load this site alone, and say which socket they open', async () => {
  const { headers } = await browser().page('/showtimes/123');
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'self'");
  expect(policy).toMatch(/script-src 'self' 'nonce-[\w+/=]+';/);
  expect(policy).toContain(`ws://127.0.0.1:${shop.port}`);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-powered-by')).toBeNull();
});

test('a restart keeps shoppers and orders; callers cannot forge their address', async () => {
  const ann = browser();
  await ann.call('POST', SEATS, { showtimeId: '123', seatIds: ['D01'] });
  const bought = await ann.call('POST', '/api/orders', order(['D01'], 'key-of-the-restart'));
  await ann.call('POST', SEATS, { showtimeId: '123', seatIds: ['D02'] });
  await shop.stopSite();
  // No proxy is trusted now: what a caller writes into X-Forwarded-For counts for nothing.
  await shop.startSite(LIMIT);
  const seen = await ann.call('GET', `${SEATS}?showtimeId=123`);
  expect(seen.body.seats).toMatchObject([{ seatId: 'D02' }]);
  expect((await ann.page(`/orders/${bought.body.orderId}`)).text).toContain('booked');
  const forgers = Array.from({ length: 40 }, (_, i) => {
    const headers = { 'x-forwarded-for': `198.51.100.${i}`, 'x-seatlock-peer': `198.51.100.${i}` };
    return new Browser(shop.url, headers).call('GET', `${SEATS}?showtimeId=123`);
  });
  const statuses = (await Promise.all(forgers)).map(({ status }) => status);
  expect(statuses).toContain(429);
}, 60_000);
