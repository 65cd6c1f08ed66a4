// Clients that know nothing of ours but the .proto files: each follows a showtime, locks a seat, is
// refused with details it can read, and sees the change. What differs is how each names things.

import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../support/paths.mjs';
import { type Running, startService } from '../support/programs.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const PROTO = join(ROOT, 'proto');
const GOOGLEAPIS = join(ROOT, 'third_party/googleapis');
const CLIENT_MS_MAX = 60_000;

let service: Running;
let gen = '';

beforeAll(async () => {
  // Within the package, so that the generated imports are found.
  mkdirSync(join(HERE, 'gen'), { recursive: true });
  gen = mkdtempSync(join(HERE, 'gen/run-'));
  service = await startService();
});
afterAll(async () => {
  await service?.stop();
  rmSync(gen, { recursive: true, force: true });
});

/** What a client prints. */
async function run(program: string, script: string, folder: string): Promise<unknown> {
  const args = [join(HERE, script), service.address, folder];
  const { stdout } = await promisify(execFile)(program, args, { timeout: CLIENT_MS_MAX });
  return JSON.parse(stdout);
}

function expected(names: { code: string; cause: string; locked: string }) {
  return {
    first: 'progress',
    lock: { seatId: 'A06', fence: 1 },
    refused: { code: names.code, reason: 'SEAT_TAKEN', conflicts: [['A06', names.locked]] },
    change: { revision: 1, cause: names.cause, seats: [['A06', names.locked, 'alice']] },
  };
}

const IN_FULL = {
  code: 'FAILED_PRECONDITION',
  cause: 'CHANGE_CAUSE_LOCK',
  locked: 'SEAT_STATUS_LOCKED',
};

test("Connect's gRPC transport works", async () => {
  const template = {
    version: 'v2',
    inputs: [
      { directory: PROTO, paths: [join(PROTO, 'seatlock/v1')] },
      { directory: GOOGLEAPIS, paths: [join(GOOGLEAPIS, 'google/rpc')] },
    ],
    plugins: [
      {
        local: join(ROOT, 'node_modules/.bin/protoc-gen-es'),
        out: gen,
        opt: 'target=js,import_extension=js',
      },
    ],
  };
  const buf = join(ROOT, 'node_modules/.bin/buf');
  execFileSync(buf, ['generate', '--template', JSON.stringify(template)], { stdio: 'pipe' });
  expect(await run(process.execPath, 'connect_client.mjs', gen)).toEqual(
    expected({ code: 'FailedPrecondition', cause: 'LOCK', locked: 'LOCKED' }),
  );
});

test('plain grpc-js with proto-loader works', async () => {
  const printed = await run(process.execPath, 'proto_loader_client.mjs', ROOT);
  expect(printed).toEqual(expected(IN_FULL));
});

test("Debian's python3-grpcio works", async () => {
  const files = ['seatlock/v1/seatlock_service', 'seatlock/v1/seats', 'google/rpc/status'];
  const plugin = '--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin';
  const out = [`--python_out=${gen}`, `--grpc_python_out=${gen}`];
  const inputs = [...files, 'google/rpc/error_details'].map((file) => `${file}.proto`);
  const flags = [`-I${PROTO}`, `-I${GOOGLEAPIS}`, plugin, ...out];
  execFileSync('/usr/bin/protoc', [...flags, ...inputs], { stdio: 'pipe' });
  const printed = await run('/usr/bin/python3', 'python_client.py', gen);
  expect(printed).toEqual(expected(IN_FULL));
});

test.each(['grpc-v1', 'grpc-v1alpha'])('buf curl works without any .proto, by %s', (version) => {
  const call = (method: string, request: object): unknown => {
    const flags = ['--protocol', 'grpc', '--http2-prior-knowledge', '--reflect-protocol', version];
    const target = `http://${service.address}/${method}`;
    const args = ['curl', ...flags, '-d', JSON.stringify(request), target];
    const buf = join(ROOT, 'node_modules/.bin/buf');
    return JSON.parse(execFileSync(buf, args, { encoding: 'utf8', timeout: CLIENT_MS_MAX }));
  };
  const showtimeId = `curl ${version}`;
  expect(
    call('seatlock.v1.SeatLockService/LockSeat', { showtimeId, seatId: 'A06', sessionId: 'alice' }),
  ).toMatchObject({ lock: { seatId: 'A06', sessionId: 'alice' }, revision: '1' });
  expect(call('grpc.health.v1.Health/Check', {})).toEqual({ status: 'SERVING' });
});
