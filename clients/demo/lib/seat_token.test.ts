import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seatToken, TOKEN_LIFE_S } from './seat_token';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seatlock-token-'));
  file = join(folder, 'jwks.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const secret = (letter: string) => Buffer.from(letter.repeat(32));
const key = (letter: string) => ({
  kty: 'oct',
  alg: 'HS256',
  kid: letter,
  k: secret(letter).toString('base64url'),
});
const write = (...keys: object[]) => writeFileSync(file, JSON.stringify({ keys }));

test('a token names its session and showtimes, and ends in ten minutes', async () => {
  write(key('a'));
  const token = await seatToken(file, 'me', ['123']);
  const { payload } = await jwtVerify(token, secret('a'));
  expect(payload).toMatchObject({ sub: 'me', showtimes: ['123'] });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(TOKEN_LIFE_S);
});

test('the first key signs, and a key that was changed counts at once', async () => {
  write({ kty: 'RSA', alg: 'RS256', kid: 'r' }, key('a'), key('b'));
  expect(decodeProtectedHeader(await seatToken(file, 'me', '*'))).toMatchObject({ kid: 'a' });
  write(key('b'));
  expect(decodeProtectedHeader(await seatToken(file, 'me', '*'))).toMatchObject({ kid: 'b' });
});

test('a file without a key is told, and what is in it is not', async () => {
  writeFileSync(file, '{"keys": [{"k": "c2VjcmV0"}');
  await expect(seatToken(file, 'me', '*')).rejects.toThrow(/should have a key/);
  await expect(seatToken(file, 'me', '*')).rejects.not.toThrow(/c2VjcmV0/);
});
