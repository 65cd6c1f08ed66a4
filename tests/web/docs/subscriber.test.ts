// docs/subscriber.md: its service beside a real seat service, whose restarts it must outlive.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeatLockClient, type SeatLockClient } from '@seatlock/client/node';
import { beforeAll, expect, it } from 'vitest';
import { freePort, Running, startService, until } from '../support/programs.mjs';
import { Project } from '../support/project.mjs';
import { compile, writeSnippets } from '../support/snippets.mjs';

const folder = mkdtempSync(join(tmpdir(), 'seatlock-subscriber-'));
const store = `sqlite:${join(folder, 'seats.db')}`;
let project: Project;
let service: Running;
let subscriber: Running;
let seats: SeatLockClient;

beforeAll(async () => {
  project = new Project({ packages: ['client'], modules: ['@grpc/grpc-js', '@types/node'] });
  await compile(project, writeSnippets(project, 'docs/subscriber.md'));
  service = await startService({ store });
  seats = createSeatLockClient({ address: service.address, deadlineMs: 20_000 });
  subscriber = await startSubscriber(service.address);
  return async () => {
    seats.close();
    await subscriber.stop();
    await service.stop();
    project.remove();
    rmSync(folder, { recursive: true });
  };
});

/** The page's service, following 123 and 124. */
async function startSubscriber(address: string): Promise<Running> {
  const port = await freePort();
  const args = ['out/subscriber.js', '123', '124'];
  const env = { ...process.env, PORT: `${port}`, SEATLOCK_ADDRESS: address };
  return new Running(process.execPath, args, port, { cwd: project.folder, env }).ready();
}

interface Counts {
  readonly sold: number;
  readonly held: number;
  readonly revision: number;
  readonly current: boolean;
}

/** What the subscriber says once it has heard of the revision. */
function countsAt(showtimeId: string, revision: number): Promise<Counts> {
  return until(`revision ${revision} of ${showtimeId}`, async () => {
    const response = await fetch(`http://${subscriber.address}/${showtimeId}`);
    const counts = (await response.json()) as Counts;
    return counts.current && counts.revision >= revision ? counts : undefined;
  });
}

const lock = (seatIds: string[], sessionId: string, ttlMs = 600_000) =>
  seats.lockSeats({ showtimeId: '123', seatIds, sessionId, ttlMs });

it('checks', () => {
  const options = { module: 'nodenext', types: ['node'], skipLibCheck: true };
  expect(project.typecheck(options, ['*.ts'])).toBe('');
});

it('counts what is sold and held, through restarts, expiries and cancellations', async () => {
  const alice = { showtimeId: '123', sessionId: 'alice' };
  await lock(['A01', 'A02', 'A03'], 'alice');
  const booked = await seats.bookSeats({ ...alice, seatIds: ['A01', 'A02'], orderId: 'o-1' });
  const before = await countsAt('123', booked.revision);
  expect([before.sold, before.held]).toEqual([2, 1]);

  await service.stop('SIGKILL');
  await until('notice of the loss', async () => {
    const response = await fetch(`http://${subscriber.address}/123`);
    return ((await response.json()) as Counts).current ? undefined : true;
  });
  service = await startService({ port: service.port, store });

  await lock(['B01', 'B02'], 'bob');
  const { revision } = await seats.cancelBooking({
    showtimeId: '123',
    orderId: 'o-1',
    seatIds: ['A02'],
  });
  const after = await countsAt('123', revision);
  expect([after.sold, after.held]).toEqual([1, 3]);

  // A lock that lapses while nobody asks is a change as well.
  const short = await lock(['C01'], 'carol', 1000);
  const lapsed = await countsAt('123', short.revision + 1);
  expect([lapsed.sold, lapsed.held]).toEqual([1, 3]);

  const { snapshot } = await seats.getShowtime({ showtimeId: '123' });
  const count = (status: string) => snapshot.seats.filter((seat) => seat.status === status).length;
  expect([lapsed.sold, lapsed.held, lapsed.revision]).toEqual([
    count('booked'),
    count('locked'),
    snapshot.revision,
  ]);
});

it('keeps showtimes apart', async () => {
  const counts = await countsAt('124', 0);
  expect([counts.sold, counts.held, counts.revision]).toEqual([0, 0, 0]);
  for (const path of ['999', '', '%', '123%00']) {
    expect((await fetch(`http://${subscriber.address}/${path}`)).status, path).toBe(404);
  }
});

it('claims nothing before it has heard', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const early = await startSubscriber(`127.0.0.1:${address.port}`);
  try {
    const response = await fetch(`http://${early.address}/123`);
    expect(((await response.json()) as Counts).current).toBe(false);
  } finally {
    await early.stop('SIGKILL');
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

it('ends at SIGTERM', async () => {
  await subscriber.stop();
  expect([subscriber.child.exitCode, subscriber.log]).toEqual([0, '']);
});
