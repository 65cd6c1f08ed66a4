import { expect, test } from 'vitest';
import { cookieName, mintCookie, SESSION_COOKIE, sessionIn, shopperName } from './session';

const SECRET = 'a secret of the tests, long enough.';

test('a cookie that was minted names its session, the same each time', () => {
  const cookie = mintCookie(SESSION_COOKIE, SECRET);
  const id = sessionIn(SESSION_COOKIE, cookie, SECRET);
  expect(id).toMatch(/^[\w-]{32}$/);
  expect(sessionIn(SESSION_COOKIE, cookie, SECRET)).toBe(id);
});

test('sessions differ', () => {
  const ids = Array.from({ length: 100 }, () => mintCookie(SESSION_COOKIE, SECRET));
  expect(new Set(ids).size).toBe(100);
});

test('a cookie of which any one character was changed names nobody', () => {
  const cookie = mintCookie(SESSION_COOKIE, SECRET);
  for (let i = 0; i < cookie.length; i++) {
    const other = cookie[i] === 'A' ? 'B' : 'A';
    const changed = cookie.slice(0, i) + other + cookie.slice(i + 1);
    expect(sessionIn(SESSION_COOKIE, changed, SECRET), `character ${i}`).toBeNull();
  }
});

test('a cookie of another key, without a signature, or with more, names nobody', () => {
  const cookie = mintCookie(SESSION_COOKIE, SECRET);
  const [id] = cookie.split('.');
  expect(sessionIn(SESSION_COOKIE, cookie, `${SECRET} or another`)).toBeNull();
  for (const bad of [undefined, '', '.', id, `${id}.`, `${cookie}.x`, `${cookie}=`]) {
    expect(sessionIn(SESSION_COOKIE, bad, SECRET), String(bad)).toBeNull();
  }
});

test('the cookie of one shopper is worth nothing under the name of another', () => {
  const alice = mintCookie(cookieName('alice'), SECRET);
  expect(sessionIn(cookieName('alice'), alice, SECRET)).not.toBeNull();
  expect(sessionIn(cookieName('bob'), alice, SECRET)).toBeNull();
  expect(sessionIn(cookieName(null), alice, SECRET)).toBeNull();
});

test('names of shoppers are short and plain, and case does not count', () => {
  expect(shopperName('Bob')).toBe('bob');
  expect(shopperName(undefined)).toBeNull();
  expect(shopperName('')).toBeNull();
  for (const bad of ['a b', 'a;b', 'ä', 'x'.repeat(33), '../x']) {
    expect(shopperName(bad), bad).toBeUndefined();
  }
});
