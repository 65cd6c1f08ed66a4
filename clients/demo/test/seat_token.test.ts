// /api/seat-token of the built site: for whom, how long, and what the answer may be kept by.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Shop } from './programs';

const secret = randomBytes(32);
const folder = mkdtempSync(join(tmpdir(), 'seatlock-token-'));
const file = join(folder, 'jwks.json');
writeFileSync(
  file,
  JSON.stringify({
    keys: [{ kty: 'oct', alg: 'HS256', kid: 'a', k: secret.toString('base64url') }],
  }),
);

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open({ SEATLOCK_TOKEN_JWKS: file });
}, 90_000);
afterAll(async () => {
  await shop.close();
  rmSync(folder, { recursive: true });
});

const claimsOf = async (answer: Response) => {
  const { token } = (await answer.json()) as { token: string };
  return (await jwtVerify(token, secret)).payload;
};

test("a token is the cookie's session, and nobody keeps the answer", async () => {
  const first = await fetch(`${shop.url}/api/seat-token`);
  const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? '';
  expect(first.headers.get('cache-control')).toBe('no-store');
  const sessionId = cookie.split('=')[1]?.split('.')[0];
  expect(await claimsOf(first)).toMatchObject({ sub: sessionId, showtimes: '*' });
  const again = await fetch(`${shop.url}/api/seat-token?sessionId=other`, { headers: { cookie } });
  expect((await claimsOf(again)).sub).toBe(sessionId);
});

test('a showtime that is asked for is the only one', async () => {
  const answer = await fetch(`${shop.url}/api/seat-token?showtimeId=123`);
  expect(await claimsOf(answer)).toMatchObject({ showtimes: ['123'] });
  expect((await fetch(`${shop.url}/api/seat-token?showtimeId=none`)).status).toBe(404);
});

test('a site without keys has no tokens', async () => {
  await shop.stopSite();
  await shop.startSite({});
  const answer = await fetch(`${shop.url}/api/seat-token`);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ code: 'NO_TOKENS' });
});
