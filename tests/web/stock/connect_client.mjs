// A stock client: Connect's gRPC transport with code by protoc-gen-es.
// Usage: connect_client.mjs ADDRESS FOLDER_OF_GENERATED_CODE; prints what stock.test.ts expects.

import { join } from 'node:path';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';

/**
 * What is used of the generated code, whose types are made with it.
 * @typedef {{seatId: string, status: number, sessionId: string}} Seat
 * @typedef {{revision: bigint, cause: number, seats: Seat[]}} Change
 * @typedef {{event: {case: string, value: Change}}} Event
 * @typedef {object} Stub
 * @property {(request: object) => Promise<{lock: {seatId: string, fence: bigint}}>} lockSeat
 * @property {(request: object) => Promise<unknown>} lockSeats
 * @property {(request: object, options: object) => AsyncIterable<Event>} watchShowtime
 */

const [address = '', folder = ''] = process.argv.slice(2);
const { SeatLockService } = await import(join(folder, 'seatlock/v1/seatlock_service_pb.js'));
const { ChangeCause, SeatConflictsSchema, SeatStatus } = await import(
  join(folder, 'seatlock/v1/seats_pb.js')
);
const { ErrorInfoSchema } = await import(join(folder, 'google/rpc/error_details_pb.js'));

const transport = createGrpcTransport({ baseUrl: `http://${address}` });
const client = /** @type {Stub} */ (
  /** @type {unknown} */ (createClient(SeatLockService, transport))
);
const showtimeId = 'connect';

const abort = new AbortController();
const events = client
  .watchShowtime({ showtimeId }, { signal: abort.signal })
  [Symbol.asyncIterator]();
const { value: first } = await events.next();

const { lock } = await client.lockSeat({ showtimeId, seatId: 'A06', sessionId: 'alice' });

const request = { showtimeId, seatIds: ['A05', 'A06'], sessionId: 'bob' };
const error = ConnectError.from(await client.lockSeats(request).catch((reason) => reason));
const [info] = /** @type {[{reason: string}]} */ (
  /** @type {unknown} */ (error.findDetails(ErrorInfoSchema))
);
const [{ conflicts }] = /** @type {[{conflicts: Seat[]}]} */ (
  /** @type {unknown} */ (error.findDetails(SeatConflictsSchema))
);

const { value: second } = await events.next();
const { revision, cause, seats } = second.event.value;
abort.abort();

console.log(
  JSON.stringify({
    first: first.event.case,
    lock: { seatId: lock.seatId, fence: Number(lock.fence) },
    refused: {
      code: Code[error.code],
      reason: info.reason,
      conflicts: conflicts.map((it) => [it.seatId, SeatStatus[it.status]]),
    },
    change: {
      revision: Number(revision),
      cause: ChangeCause[cause],
      seats: seats.map((/** @type {Seat} */ it) => [
        it.seatId,
        SeatStatus[it.status],
        it.sessionId,
      ]),
    },
  }),
);
