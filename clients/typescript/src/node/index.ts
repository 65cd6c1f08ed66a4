// @seatlock/client/node: typed calls for API servers, over @grpc/grpc-js.
//
//   const seats = createSeatLockClient({ address: '127.0.0.1:50051' });
//   const { lock } = await seats.lockSeat({ showtimeId: '123', seatId: 'A06', sessionId });
//   for await (const event of seats.watchShowtime({ showtimeId: '123' })) …

export { createSeatLockClient, type SeatLockClient } from './client.js';
export {
  type Conflict,
  type FieldViolation,
  isSeatLockError,
  type Reason,
  SeatLockError,
  type SeatLockErrorFields,
} from './errors.js';
export type { CallOptions, SeatLockClientOptions, TlsOptions } from './options.js';
export type { TokenSource } from './token.js';
export type * from './types.js';
export type { ShowtimeWatch } from './watch.js';
