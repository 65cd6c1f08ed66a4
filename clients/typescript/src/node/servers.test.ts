// Names that give several addresses, and servers that leave and join such a list.

import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Target } from './addresses.js';
import { rankServers } from './rendezvous.js';
import { Servers } from './servers.js';

let now: number;
let found: string[];
let made: Target[];
let closed: string[];
let servers: Servers;

class NoChannel extends Client {
  constructor(readonly target: Target) {
    super(target.address, credentials.createInsecure());
  }
  override close(): void {
    closed.push(this.target.address);
    super.close();
  }
}

function connect(target: Target): Client {
  made.push(target);
  return new NoChannel(target);
}

beforeEach(async () => {
  now = 0;
  made = [];
  closed = [];
  found = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  const lookup = () => Promise.resolve(found);
  servers = new Servers({ list: ['seats.example:1'] }, connect, lookup, () => now);
  await servers.ready();
});
afterEach(() => servers.close());

const ranked = () => servers.ranked('123').map(({ address }) => address);

/** As calls do: the lookup is under way behind them. */
async function lookUpAgain(): Promise<void> {
  now += 30_000;
  servers.ready();
  await new Promise(setImmediate);
}

test('the addresses of a name are ranked by themselves', () => {
  const addresses = ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1'];
  expect(ranked()).toEqual(rankServers(addresses, '123').map((place) => addresses[place]));
});

test('a channel is made when needed, and knows the name for its certificate', () => {
  expect(made).toEqual([]);
  const [first] = servers.ranked('123');
  expect(first?.channel).toBe(first?.channel);
  expect(made).toEqual([{ address: first?.address, host: 'seats.example' }]);
});

test('who leaves a name is let go, who stays is known as before, who joins is in', async () => {
  const [first, second] = servers.ranked('123');
  if (!first || !second) throw new Error('three servers');
  expect(first.channel && second.channel).toBeDefined();
  servers.heard(second, 'lost', '123');
  const gone = first.address.replace(':1', '');
  found = [...found.filter((address) => address !== gone), '10.0.0.4'];
  let changes = 0;
  servers.onChange(() => ++changes);
  await lookUpAgain();
  expect(ranked()).toHaveLength(3);
  expect(ranked()).toContain('10.0.0.4:1');
  expect(ranked()).not.toContain(first.address);
  expect(servers.ranked('123')).toContain(second);
  expect(second.state).toBe('away');
  expect(closed).toEqual([first.address]);
  expect(changes).toBe(1);
});

test('a lookup that finds the same changes nothing', async () => {
  const before = servers.ranked('123');
  servers.onChange(() => expect.fail('nothing changed'));
  found.reverse();
  await lookUpAgain();
  expect(servers.ranked('123')).toEqual(before);
});

test('what a server refuses is remembered for 256 showtimes', () => {
  const [server] = servers.ranked('123');
  if (!server) throw new Error('a server');
  for (let i = 0; i < 300; ++i) servers.heard(server, 'refused', `showtime-${i}`);
  const remembered = Array.from({ length: 300 }, (_, i) => server.serves(`showtime-${i}`));
  expect(remembered.filter((serves) => !serves)).toHaveLength(256);
  expect(server.state).toBe('here');
});

test('until a name is found, it is a server itself', () => {
  const never = () => new Promise<string[]>(() => {});
  const waiting = new Servers({ list: ['seats.example:1'] }, connect, never, () => now);
  expect(waiting.ready()).toBeInstanceOf(Promise);
  expect(waiting.ranked('123').map(({ address }) => address)).toEqual(['seats.example:1']);
  waiting.close();
});
