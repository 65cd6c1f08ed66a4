// `@seatlock/client/testing`: a scripted server in memory, for tests without a backend.

export {
  type FakeCall,
  type FakeFailure,
  FakeSeatServer,
  type FakeSeatServerOptions,
  type FakeShowtimeRefusal,
} from './fake_seat_server.js';
export type { FakeTokenOptions } from './fake_tokens.js';
