// TLS and mTLS, with an authority made for the test.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createSeatLockClient } from './client.js';
import type { SeatLockClientOptions, TlsOptions } from './options.js';
import { granted, ScriptedService } from './test/scripted_service.js';

// Every name has two addresses; nobody listens at the second.
vi.mock('node:dns/promises', () => ({
  lookup: async () => [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.9', family: 4 },
  ],
}));

const SEAT = { showtimeId: '123', seatId: 'A06', sessionId: 'alice' };

const folder = mkdtempSync(join(tmpdir(), 'seatlock-tls-'));
const file = (name: string) => join(folder, name);
const pem = (name: string) => readFileSync(file(name));

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function makeAuthority(name: string): void {
  const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)];
  openssl('req', '-x509', ...NEW_KEY, '-subj', `/CN=${name}`, '-days', '2', ...out);
}

function makeCertificate(name: string, authority: string, names: string): void {
  const request = file(`${name}.csr`);
  const extensions = file(`${name}.ext`);
  writeFileSync(extensions, `subjectAltName=${names}\n`);
  openssl(
    'req',
    ...NEW_KEY,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    file(`${name}.key`),
    '-out',
    request,
  );
  const by = [
    '-CA',
    file(`${authority}.pem`),
    '-CAkey',
    file(`${authority}.key`),
    '-CAcreateserial',
  ];
  const out = ['-days', '2', '-extfile', extensions, '-out', file(`${name}.pem`)];
  openssl('x509', '-req', '-in', request, ...by, ...out);
}

let plain: ScriptedService;
let mutual: ScriptedService;

async function startService(clientsToo: boolean): Promise<ScriptedService> {
  const pair = { private_key: pem('server.key'), cert_chain: pem('server.pem') };
  const service = await ScriptedService.start(
    ServerCredentials.createSsl(clientsToo ? pem('ca.pem') : null, [pair], clientsToo),
  );
  service.scriptLocks(granted());
  return service;
}

beforeAll(async () => {
  makeAuthority('ca');
  makeAuthority('stranger');
  makeCertificate('server', 'ca', 'DNS:seats.internal');
  makeCertificate('client', 'ca', 'DNS:api.internal');
  makeCertificate('impostor', 'stranger', 'DNS:api.internal');
  plain = await startService(false);
  mutual = await startService(true);
});
afterAll(() => {
  plain.stop();
  mutual.stop();
  rmSync(folder, { recursive: true, force: true });
});

const lockWith = (service: ScriptedService, tls: boolean | TlsOptions) =>
  lockBy({ address: `localhost:${service.port}`, tls });

async function lockBy(options: SeatLockClientOptions): Promise<string> {
  const client = createSeatLockClient({ ...options, retries: 0 });
  try {
    const { revision } = await client.lockSeat(SEAT, { deadlineMs: 10_000 });
    return `locked at ${revision}`;
  } catch (error) {
    return (error as { reason: string }).reason;
  } finally {
    client.close();
  }
}

const ours = (): TlsOptions => ({ ca: pem('ca.pem'), serverName: 'seats.internal' });
const shown = (name: string) => ({ cert: pem(`${name}.pem`), key: pem(`${name}.key`) });

test('the service is known by its authority and name', async () => {
  expect(await lockWith(plain, ours())).toBe('locked at 7');
  expect(await lockWith(plain, { ...ours(), ca: pem('ca.pem').toString() })).toBe('locked at 7');
});

test('a service of another authority or name is not spoken to', async () => {
  expect(await lockWith(plain, true)).toBe('UNAVAILABLE');
  expect(await lockWith(plain, { ...ours(), ca: pem('stranger.pem') })).toBe('UNAVAILABLE');
  expect(await lockWith(plain, { ...ours(), serverName: 'other.internal' })).toBe('UNAVAILABLE');
});

test('servers that are the addresses of a name are known by that name', async () => {
  const tls = { ca: pem('ca.pem') };
  expect(await lockBy({ servers: [`seats.internal:${plain.port}`], tls })).toBe('locked at 7');
  expect(await lockBy({ servers: [`other.internal:${plain.port}`], tls })).toBe('UNAVAILABLE');
  const named = { ...tls, serverName: 'seats.internal' };
  expect(await lockBy({ servers: [`other.internal:${plain.port}`], tls: named })).toBe(
    'locked at 7',
  );
});

test('with mTLS a client of the authority is served, others are not', async () => {
  expect(await lockWith(mutual, { ...ours(), ...shown('client') })).toBe('locked at 7');
  const before = mutual.locks.length;
  expect(await lockWith(mutual, ours())).toBe('UNAVAILABLE');
  expect(await lockWith(mutual, { ...ours(), ...shown('impostor') })).toBe('UNAVAILABLE');
  expect(mutual.locks).toHaveLength(before);
});

test('a certificate without its key is an error of the options', () => {
  const tls = { ...ours(), cert: pem('client.pem') };
  expect(() => createSeatLockClient({ address: 'localhost:1', tls })).toThrow('go together');
});

test('files are read, and read anew when they change', async () => {
  writeFileSync(file('live.pem'), pem('stranger.pem'));
  const tls = { caFile: file('live.pem'), serverName: 'seats.internal' };
  const client = createSeatLockClient({ address: `localhost:${plain.port}`, tls, retries: 0 });
  const lock = async () => (await client.lockSeat(SEAT, { deadlineMs: 10_000 })).revision;
  await expect(lock()).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
  writeFileSync(file('live.pem'), pem('ca.pem'));
  await vi.waitFor(async () => expect(String(await lock())).toBe('7'), 30_000);
  client.close();
});

test('with mTLS the client shows the certificate of its files', async () => {
  const caFile = file('ca.pem');
  const own = { certFile: file('client.pem'), keyFile: file('client.key') };
  const tls = { caFile, ...own, serverName: 'seats.internal' };
  expect(await lockWith(mutual, tls)).toBe('locked at 7');
  const mixed = { caFile, certFile: file('client.pem'), keyFile: file('impostor.key') };
  expect(await lockWith(mutual, { ...mixed, serverName: 'seats.internal' })).toBe('UNAVAILABLE');
});

test.each([
  [{ caFile: 'a', certFile: 'b' }, 'go together'],
  [{ certFile: 'b', keyFile: 'c' }, 'need tls.caFile'],
  [{ caFile: 'a', ca: 'text' }, 'not both'],
])('paths that do not fit are an error of the options: %o', (tls, message) => {
  expect(() => createSeatLockClient({ address: 'localhost:1', tls })).toThrow(message);
});
