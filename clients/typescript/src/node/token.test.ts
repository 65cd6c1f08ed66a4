import { describe, expect, test } from 'vitest';
import { bearer, Token } from './token.js';

describe('Token', () => {
  test('a text is always the same one', async () => {
    const token = new Token('key');
    expect(await token.get()).toBe('key');
    expect(await token.renewed('key')).toBeUndefined();
  });

  test('none is none', async () => {
    const token = new Token(undefined);
    expect(await token.get()).toBeUndefined();
    expect(await token.renewed(undefined)).toBeUndefined();
    expect(bearer(undefined).get('authorization')).toEqual([]);
    expect(bearer('key').get('authorization')).toEqual(['Bearer key']);
  });

  test('a function is asked once, until its token is refused', async () => {
    let fetched = 0;
    const token = new Token(async () => `token-${++fetched}`);
    expect(await Promise.all([token.get(), token.get()])).toEqual(['token-1', 'token-1']);
    const fresh = await Promise.all([token.renewed('token-1'), token.renewed('token-1')]);
    expect(fresh).toEqual(['token-2', 'token-2']);
    expect(await token.get()).toBe('token-2');
  });

  test('a function that gives the same one has no fresh one', async () => {
    const token = new Token(async () => 'token');
    expect(await token.renewed('token')).toBeUndefined();
  });

  test('a failure is told, and the next call asks again', async () => {
    let fails = true;
    const token = new Token(async () => {
      if (fails) throw new Error('no token now');
      return 'token';
    });
    await expect(token.get()).rejects.toThrow('no token now');
    fails = false;
    expect(await token.get()).toBe('token');
  });

  test('what is no token is refused, and not repeated', async () => {
    for (const wrong of ['', 'a b', 'a\nb', 'ü']) {
      expect(() => new Token(wrong)).toThrow(TypeError);
      await expect(new Token(async () => wrong).get()).rejects.toThrow(/printable/);
    }
    await expect(new Token(async () => 'sec ret').get()).rejects.not.toThrow(/sec/);
  });
});
