import { expect, test } from 'vitest';
import { siteEnv } from './env';

test('nothing set is the machine itself, and no demo', () => {
  expect(siteEnv({})).toMatchObject({
    upstream: ['127.0.0.1:50051'],
    webSocketUrl: undefined,
    demoShoppers: false,
    trustedProxies: [],
    holdTtlMs: undefined,
  });
});

test('an empty variable is one that is not set', () => {
  expect(siteEnv({ WEBSOCKET_SERVER_URL: '', SEATLOCK_SITE_RATE: ' ' })).toEqual(siteEnv({}));
});

test('the service may be several servers', () => {
  const source = { SEATLOCK_SITE_UPSTREAM: '127.0.0.1:50051, [::1]:50051,seats.example:443' };
  const upstream = ['127.0.0.1:50051', '[::1]:50051', 'seats.example:443'];
  expect(siteEnv(source)).toMatchObject({ upstream });
});

test('TLS to the service is by files', () => {
  const ca = { SEATLOCK_SITE_UPSTREAM_CA: '/s/ca.pem' };
  const own = { SEATLOCK_SITE_UPSTREAM_CERT: '/s/c.pem', SEATLOCK_SITE_UPSTREAM_KEY: '/s/c.key' };
  expect(siteEnv({}).upstreamTls).toBeUndefined();
  expect(siteEnv(ca).upstreamTls).toEqual({ caFile: '/s/ca.pem' });
  const all = { caFile: '/s/ca.pem', certFile: '/s/c.pem', keyFile: '/s/c.key' };
  expect(siteEnv({ ...ca, ...own }).upstreamTls).toEqual(all);
  expect(() => siteEnv(own)).toThrow('needs SEATLOCK_SITE_UPSTREAM_CA');
});

test.each([
  ['SEATLOCK_SITE_UPSTREAM_CERT', '/s/c.pem'],
  ['SEATLOCK_SITE_UPSTREAM_KEY', '/s/c.key'],
  ['SEATLOCK_SITE_UPSTREAM', 'localhost'],
  ['SEATLOCK_SITE_UPSTREAM', 'a:1,,b:1'],
  ['SEATLOCK_SITE_UPSTREAM', 'a:1,b:65536'],
  ['SEATLOCK_SITE_UPSTREAM', 'a:1,b:1,a:1'],
  ['SEATLOCK_SITE_UPSTREAM', Array.from({ length: 65 }, (_, i) => `a:${i + 1}`).join()],
  ['WEBSOCKET_SERVER_URL', 'https://a.example/ws'],
  ['SEATLOCK_COOKIE_SECRET', 'short'],
  ['SEATLOCK_DEMO_SHOPPERS', 'yes'],
  ['SEATLOCK_HOLD_TTL_MS', '999'],
  ['SEATLOCK_HOLD_TTL_MS', '1e99'],
  ['SEATLOCK_SITE_MAX_SEATS', '0'],
  ['SEATLOCK_SITE_RATE', '1.5'],
  ['SEATLOCK_SITE_BURST', '-1'],
  ['SEATLOCK_SITE_ORIGINS', 'a.example'],
])('%s=%s is refused by its name', (name, value) => {
  expect(() => siteEnv({ [name]: value })).toThrow(name);
});
