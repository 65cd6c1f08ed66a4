// A stock client: grpc-js with what @grpc/proto-loader makes of the .proto files, and nothing of
// ours. Usage: proto_loader_client.mjs ADDRESS ROOT; prints what stock.test.ts expects.

import { join } from 'node:path';
import { promisify } from 'node:util';
import { credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/**
 * What is used of what proto-loader makes, which has no types of its own.
 * @typedef {{seatId: string, status: string, sessionId: string}} Seat
 * @typedef {{revision: number, cause: string, seats: Seat[]}} Change
 * @typedef {import('@grpc/grpc-js').ClientReadableStream<{event: string, change: Change}>} Watch
 * @typedef {(error: import('@grpc/grpc-js').ServiceError, answer: Answer) => void} Callback
 * @typedef {{lock: {seatId: string, fence: number}}} Answer
 * @typedef {(request: object, callback: Callback) => void} Unary
 * @typedef {{lockSeat: Unary, lockSeats: Unary, close(): void}} Calls
 * @typedef {Calls & {watchShowtime(request: object): Watch}} Stub
 * @typedef {{type_url: string, value: Buffer}} Detail
 * @typedef {{details: Detail[], reason: string, conflicts: Seat[]}} Details
 */

const [address = '', root = ''] = process.argv.slice(2);
const files = ['seatlock/v1/seatlock_service.proto', 'google/rpc/error_details.proto'];
const definition = loadSync([...files, 'google/rpc/status.proto'], {
  includeDirs: [join(root, 'proto'), join(root, 'third_party/googleapis')],
  longs: Number,
  enums: String,
  oneofs: true,
});
const { seatlock } = loadPackageDefinition(definition);
const { v1 } = /** @type {{v1: {SeatLockService: new (...args: unknown[]) => Stub}}} */ (
  /** @type {unknown} */ (seatlock)
);
const client = new v1.SeatLockService(address, credentials.createInsecure());
const showtimeId = 'proto-loader';

/** @param {string} type @param {Buffer} bytes */
function decode(type, bytes) {
  const message = definition[type];
  if (!message || !('deserialize' in message)) throw new Error(`no message ${type}`);
  const { deserialize } = /** @type {{deserialize(bytes: Buffer): unknown}} */ (message);
  return /** @type {Details} */ (deserialize(bytes));
}

/**
 * The details of a refusal by type: with proto-loader one decodes them by hand.
 * @param {import('@grpc/grpc-js').ServiceError} error
 */
function detailsOf(error) {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const { details } = decode('google.rpc.Status', Buffer.from(bytes ?? ''));
  const named = details.map(({ type_url: typeUrl, value }) => {
    const name = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
    return /** @type {const} */ ([name, decode(name, value)]);
  });
  return new Map(named);
}

const watch = client.watchShowtime({ showtimeId });
const events = watch[Symbol.asyncIterator]();
const { value: first } = await events.next();

const lockSeat = promisify(client.lockSeat.bind(client));
const { lock } = await lockSeat({ showtimeId, seatId: 'A06', sessionId: 'alice' });

const lockSeats = promisify(client.lockSeats.bind(client));
const request = { showtimeId, seatIds: ['A05', 'A06'], sessionId: 'bob' };
const error = await lockSeats(request).catch((reason) => reason);
const details = detailsOf(error);

const { change } = (await events.next()).value;
watch.on('error', () => {}); // its own cancellation
watch.cancel();
client.close();

console.log(
  JSON.stringify({
    first: first.event,
    lock: { seatId: lock.seatId, fence: lock.fence },
    refused: {
      code: status[error.code],
      reason: details.get('google.rpc.ErrorInfo')?.reason,
      conflicts: details
        .get('seatlock.v1.SeatConflicts')
        ?.conflicts.map((it) => [it.seatId, it.status]),
    },
    change: {
      revision: change.revision,
      cause: change.cause,
      seats: change.seats.map((/** @type {Seat} */ it) => [it.seatId, it.status, it.sessionId]),
    },
  }),
);
