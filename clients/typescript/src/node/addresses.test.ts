// What a list of servers may be, and what its names stand for.

import { beforeEach, expect, test } from 'vitest';
import { Addresses, type Target } from './addresses.js';
import { createSeatLockClient, type SeatLockClient } from './client.js';

const LIST_OF_65 = Array.from({ length: 65 }, (_, i) => `10.0.0.${i}:50051`);

test.each([
  ['no list', '127.0.0.1:50051', 'must be an array'],
  ['an empty one', [], 'must be an array of one'],
  ['one of more than 64', LIST_OF_65, 'at most 64, not 65'],
  ['one with a repeat', ['a:1', 'b:1', 'A:1'], "'A:1' is there twice"],
  ['one with a number', [50051], 'servers[0]: must be HOST:PORT'],
  ['one without a port', ['a:1', 'b'], 'servers[1]: must be HOST:PORT, such as 127.0.0.1:50051'],
  ['one with an empty port', ['a:'], 'must be HOST:PORT'],
  ['one with port 0', ['a:0'], 'the port must be 1 to 65535'],
  ['one with port 65536', ['a:65536'], "the port must be 1 to 65535, not 'a:65536'"],
  ['one without a host', [':50051'], 'must be HOST:PORT'],
  ['an empty entry', ['a:1', ''], 'servers[1]: must be HOST:PORT'],
  ['one with spaces', [' a:1'], 'must be HOST:PORT'],
  ['one with a URL', ['http://a:1'], 'must be HOST:PORT'],
  ['an IPv6 address without brackets', ['::1:50051'], 'must be HOST:PORT'],
  ['brackets around a name', ['[a]:50051'], 'must be HOST:PORT'],
])('%s is refused clearly when the client is made', (_, servers, words) => {
  expect(() => createSeatLockClient({ servers: servers as string[] })).toThrow(words);
});

test('neither address nor servers is refused clearly', () => {
  expect(() => createSeatLockClient({})).toThrow('or give servers');
});

test.each([
  [['127.0.0.1:50051']],
  [['[::1]:1', 'seats.example:65535', '10.0.0.1:50051']],
  [LIST_OF_65.slice(1)],
])('%j is taken', (servers) => {
  let client: SeatLockClient | undefined;
  expect(() => {
    client = createSeatLockClient({ servers, address: '' });
  }).not.toThrow();
  client?.close();
});

let now = 0;
let names: Record<string, readonly string[]> = {};
let lookups: string[] = [];

beforeEach(() => {
  now = 0;
  names = {};
  lookups = [];
});

function addresses(...servers: string[]): Addresses {
  const lookup = (host: string) => {
    lookups.push(host);
    const found = names[host];
    return found ? Promise.resolve(found) : Promise.reject(new Error('no such name'));
  };
  return new Addresses(servers, lookup, () => now);
}

async function found(list: Addresses, someAway = false): Promise<Target[]> {
  await list.refresh(someAway, () => {});
  return list.targets();
}

const texts = (targets: readonly Target[]) => targets.map(({ address }) => address);

test('addresses are never looked up', async () => {
  const list = addresses('10.0.0.1:50051', '[::1]:50051');
  expect(texts(await found(list))).toEqual(['10.0.0.1:50051', '[::1]:50051']);
  expect(lookups).toEqual([]);
});

test('a name with several addresses is such a list, each known by its address', async () => {
  names = { 'seats.example': ['10.0.0.2', '10.0.0.1', 'fd00::1', '10.0.0.2'] };
  const targets = await found(addresses('seats.example:50051'));
  expect(texts(targets)).toEqual(['10.0.0.1:50051', '10.0.0.2:50051', '[fd00::1]:50051']);
  expect(targets.map(({ host }) => host)).toEqual(Array(3).fill('seats.example'));
});

test('a name with one address is known by its name', async () => {
  names = { 'a.example': ['10.0.0.1'], 'b.example': ['10.0.0.2'] };
  const targets = await found(addresses('b.example:1', 'a.example:1'));
  expect(targets).toEqual([
    { address: 'a.example:1', host: undefined },
    { address: 'b.example:1', host: undefined },
  ]);
});

test('a name that cannot be found stays itself, and keeps what it had', async () => {
  const list = addresses('seats.example:1');
  expect(texts(await found(list))).toEqual(['seats.example:1']);
  names = { 'seats.example': ['10.0.0.1', '10.0.0.2'] };
  now += 30_000;
  expect(texts(await found(list))).toEqual(['10.0.0.1:1', '10.0.0.2:1']);
  names = {};
  now += 30_000;
  expect(texts(await found(list))).toEqual(['10.0.0.1:1', '10.0.0.2:1']);
});

test('names are looked up every 30 s, every second while a server is away', async () => {
  names = { 'seats.example': ['10.0.0.1', '10.0.0.2'] };
  const list = addresses('seats.example:1');
  await found(list);
  now = 29_999;
  await found(list);
  expect(lookups).toHaveLength(1);
  await found(list, true);
  expect(lookups).toHaveLength(2);
  now += 999;
  await found(list, true);
  expect(lookups).toHaveLength(2);
});

test('one lookup at a time', async () => {
  names = { 'seats.example': ['10.0.0.1'] };
  const list = addresses('seats.example:1');
  const first = list.refresh(false, () => {});
  now += 60_000;
  expect(list.refresh(true, () => {})).toBeUndefined();
  await first;
  expect(lookups).toHaveLength(1);
});

test('an address of two names is one server; of more than 64 all take the same 64', async () => {
  const many = Array.from({ length: 70 }, (_, i) => `10.0.1.${i}`);
  names = { 'a.example': many, 'b.example': [...many].reverse() };
  const targets = texts(await found(addresses('a.example:1', 'b.example:1')));
  expect(targets).toHaveLength(64);
  expect(texts(await found(addresses('b.example:1')))).toEqual(targets);
});
