// A list of servers that is a name: what the client makes of what its resolver finds.

import { lookup } from 'node:dns/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSeatLockClient, type SeatLockClient } from './client.js';
import { granted, ScriptedService } from './test/scripted_service.js';
import { rankedFor } from './test/several.js';

vi.mock('node:dns/promises', () => ({ lookup: vi.fn() }));

const SEAT = { showtimeId: '123', seatId: 'A06', sessionId: 'alice' };

let services: ScriptedService[];
let client: SeatLockClient;

/** What `lookup` gives with `all`, of which the types know only the other answer. */
function resolver(find: () => Promise<readonly string[]>): void {
  const all = async () => (await find()).map((address) => ({ address, family: 4 }));
  vi.mocked(lookup).mockImplementation(all as unknown as typeof lookup);
}

beforeEach(async () => {
  vi.mocked(lookup).mockReset();
  const one = await ScriptedService.start();
  const other = await ScriptedService.start(undefined, '127.0.0.2', one.port);
  services = rankedFor('123', [one, other]);
  for (const service of services) service.scriptLocks(granted());
});
afterEach(() => {
  client.close();
  for (const service of services) service.stop();
});

const connect = (host: string) => {
  client = createSeatLockClient({ servers: [`${host}:${services[0]?.port}`], deadlineMs: 20_000 });
};

test('of a name with two addresses the preferred one is asked, then the other', async () => {
  resolver(() => Promise.resolve(['127.0.0.1', '127.0.0.2']));
  connect('seats.example');
  await client.lockSeat(SEAT);
  expect(services.map(({ locks }) => locks.length)).toEqual([1, 0]);
  services[0]?.stop();
  await client.lockSeat(SEAT);
  expect(services.map(({ locks }) => locks.length)).toEqual([1, 1]);
});

test('so it is if the name is the one address', async () => {
  resolver(() => Promise.resolve(['127.0.0.1', '127.0.0.2']));
  client = createSeatLockClient({ address: `seats.example:${services[0]?.port}` });
  await client.lockSeat(SEAT);
  expect(services.map(({ locks }) => locks.length)).toEqual([1, 0]);
});

test('a gRPC target is left to gRPC', async () => {
  resolver(() => Promise.reject(new Error('not to be asked')));
  client = createSeatLockClient({ address: `ipv4:127.0.0.1:${services[0]?.port}` });
  await client.lockSeat(SEAT);
  expect(services.find(({ host }) => host === '127.0.0.1')?.locks).toHaveLength(1);
  expect(lookup).not.toHaveBeenCalled();
});

test('a name that our lookup does not find in time is left to gRPC', async () => {
  resolver(() => new Promise(() => {}));
  connect('localhost');
  const local = services.find(({ host }) => host === '127.0.0.1');
  await client.lockSeat(SEAT);
  expect(local?.locks).toHaveLength(1);
});

test('a call with little time does not wait longer for a name', async () => {
  resolver(() => new Promise(() => {}));
  connect('seats.example');
  const call = client.lockSeat(SEAT, { deadlineMs: 100 });
  await expect(call).rejects.toMatchObject({ server: `seats.example:${services[0]?.port}` });
});
