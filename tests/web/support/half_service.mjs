// A seat service that locks, and then cannot say what is held: what a call meets whose service goes
// away between the two.

import { join } from 'node:path';
import { loadPackageDefinition, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ROOT } from './paths.mjs';

/** @typedef {(error: object | null, answer?: object) => void} Callback */

/** Whoever starts it calls `stop()`. */
export async function startHalfService() {
  const folders = ['proto', 'third_party/googleapis'].map((name) => join(ROOT, name));
  const definition = loadSync('seatlock/v1/seatlock_service.proto', { includeDirs: folders });
  const { seatlock } = /** @type {any} */ (loadPackageDefinition(definition));
  const server = new Server();
  server.addService(seatlock.v1.SeatLockService.service, {
    /** @param {unknown} _call @param {Callback} answer */
    lockSeats: (_call, answer) => answer(null, { revision: 1, serverTime: { seconds: 1 } }),
    /** @param {unknown} _call @param {Callback} answer */
    listSessionLocks: (_call, answer) => answer({ code: status.PERMISSION_DENIED }),
  });
  /** @type {number} */
  const port = await new Promise((resolve, reject) => {
    const done = (/** @type {Error | null} */ error, /** @type {number} */ bound) =>
      error ? reject(error) : resolve(bound);
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), done);
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
