// A stub as grpc-js makes it, with the codec that the client is built on and nothing else: no
// deadline and no retries. It sends a request id too, so that both send the same bytes.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { build } from 'esbuild';

const PACKAGE = fileURLToPath(new URL('../', import.meta.url));

/** The generated service definition, which the package does not export. */
async function definition() {
  // Inside the package, so that its imports are found.
  const folder = mkdtempSync(join(PACKAGE, 'dist/.bench-'));
  try {
    const outfile = join(folder, 'codec.mjs');
    await build({
      entryPoints: [join(PACKAGE, 'src/node/gen/seatlock/v1/seatlock_service.ts')],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['@grpc/grpc-js'],
      logLevel: 'error',
    });
    return (await import(pathToFileURL(outfile).href)).SeatLockServiceService;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} address */
export async function bareStub(address) {
  const Stub = makeGenericClientConstructor(await definition(), 'SeatLockService');
  const stub = new Stub(address, credentials.createInsecure());
  const lockSeat = (seat) =>
    new Promise((resolve, reject) => {
      const request = { ...seat, maxSessionSeats: 0, requestId: randomUUID() };
      stub.lockSeat(request, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  return { stub, lockSeat };
}
