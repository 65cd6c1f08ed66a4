import { expect, test } from 'vitest';
import { callerAddress, networks, RateLimiter } from './limits';

function limiter(perSecond: number, burst: number, addressesMax?: number) {
  const clock = { ms: 0 };
  return { clock, limits: new RateLimiter(perSecond, burst, addressesMax, () => clock.ms) };
}

test('a burst is let in, then a call as often as the rate says', () => {
  const { clock, limits } = limiter(2, 3);
  expect([1, 2, 3].map(() => limits.take('a'))).toEqual([0, 0, 0]);
  expect(limits.take('a')).toBe(500);
  clock.ms += 499;
  expect(limits.take('a')).toBe(1);
  clock.ms += 1;
  expect(limits.take('a')).toBe(0);
  expect(limits.take('a')).toBe(500);
});

test('a refused call costs nothing', () => {
  const { clock, limits } = limiter(1, 1);
  limits.take('a');
  for (let i = 0; i < 100; i++) {
    expect(limits.take('a')).toBeGreaterThan(0);
  }
  clock.ms += 1000;
  expect(limits.take('a')).toBe(0);
});

test('a bucket holds no more than the burst, however long nobody called', () => {
  const { clock, limits } = limiter(10, 2);
  limits.take('a');
  clock.ms += 3_600_000;
  expect([1, 2].map(() => limits.take('a'))).toEqual([0, 0]);
  expect(limits.take('a')).toBe(100);
});

test('addresses do not share', () => {
  const { limits } = limiter(1, 1);
  expect(limits.take('a')).toBe(0);
  expect(limits.take('b')).toBe(0);
  expect(limits.take('a')).toBe(1000);
});

test('the table is bounded, and who called last stays in it', () => {
  const { limits } = limiter(1, 1, 3);
  limits.take('busy');
  for (let i = 0; i < 1000; i++) {
    limits.take(`other ${i}`);
    expect(limits.take('busy')).toBe(1000);
    expect(limits.size).toBeLessThanOrEqual(3);
  }
});

test('without trusted proxies the peer counts, whatever was written', () => {
  const none = networks([]);
  expect(callerAddress('203.0.113.9', '1.2.3.4', none)).toBe('203.0.113.9');
  expect(callerAddress('::ffff:203.0.113.9', '', none)).toBe('203.0.113.9');
});

test('behind trusted proxies the right-most address that is none of them counts', () => {
  const trusted = networks(['127.0.0.1', '10.0.0.0/8', '::1']);
  const address = (peer: string, hops: string) => callerAddress(peer, hops, trusted);
  expect(address('127.0.0.1', '203.0.113.9')).toBe('203.0.113.9');
  expect(address('::ffff:127.0.0.1', 'forged, 203.0.113.9, 10.1.2.3')).toBe('203.0.113.9');
  expect(address('203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
  expect(address('::1', '')).toBe('0:0:0:0::/64');
  expect(address('127.0.0.1', 'not an address')).toBe('127.0.0.1');
});

test('an IPv6 network of a household counts as one', () => {
  const none = networks([]);
  const addresses = ['2001:db8:0:1::5', '2001:0db8::1:aaaa:bbbb:cccc:dddd', '2001:db8:0:1:0:0:0:5'];
  for (const address of addresses) {
    expect(callerAddress(address, '', none)).toBe('2001:db8:0:1::/64');
  }
  expect(callerAddress('2001:db8:0:2::5', '', none)).toBe('2001:db8:0:2::/64');
});

test.each(['localhost', '10.0.0.0/33', '::1/129', '10.0.0.0/x', ''])(
  'refuses %s as a network',
  (item) => {
    expect(() => networks([item])).toThrow('SEATLOCK_SITE_TRUSTED_PROXIES');
  },
);
