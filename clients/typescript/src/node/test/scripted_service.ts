// For tests: a SeatLockService on a loopback port whose answers are scripted, one function a call.
// What is not scripted answers UNIMPLEMENTED.

import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { Any } from '../gen/google/protobuf/any.js';
import { ErrorInfo, RetryInfo } from '../gen/google/rpc/error_details.js';
import { Status } from '../gen/google/rpc/status.js';
import {
  type ListShowtimesRequest,
  ListShowtimesResponse,
  type LockSeatRequest,
  LockSeatResponse,
  SeatLockServiceService,
  type WatchShowtimeRequest,
  WatchShowtimeResponse,
} from '../gen/seatlock/v1/seatlock_service.js';
import type { MessageFns } from '../gen/seatlock/v1/seats.js';

export type LockAnswer = LockSeatResponse | Partial<ServiceError>;
/** undefined: never answers. */
export type LockScript = (call: LockCall) => LockAnswer | undefined;
export type LockCall = ServerUnaryCall<LockSeatRequest, LockSeatResponse>;
export type PageAnswer = ListShowtimesResponse | Partial<ServiceError>;
export type WatchCall = ServerWritableStream<WatchShowtimeRequest, WatchShowtimeResponse>;
export type WatchScript = (call: WatchCall) => void;

/** A detail of a refusal, packed as the wire has it. */
export function detail<T>(
  name: string,
  type: MessageFns<T>,
  value: Parameters<typeof type.fromPartial>[0],
): Any {
  const bytes = type.encode(type.fromPartial(value)).finish();
  return Any.fromPartial({ typeUrl: `type.googleapis.com/${name}`, value: Buffer.from(bytes) });
}

export const info = (reason: string, metadata: Record<string, string> = {}): Any =>
  detail('google.rpc.ErrorInfo', ErrorInfo, { domain: 'seatlock', reason, metadata });

export const retryIn = (ms: number): Any =>
  detail('google.rpc.RetryInfo', RetryInfo, {
    retryDelay: { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 },
  });

/** A refusal as the service sends it. */
export function refusal(code: status, ...details: Any[]): Partial<ServiceError> {
  const metadata = new Metadata();
  const bytes = Status.encode(Status.fromPartial({ code, details })).finish();
  metadata.set('grpc-status-details-bin', Buffer.from(bytes));
  return { code, details: 'refused', metadata };
}

export const gone: Partial<ServiceError> = { code: status.UNAVAILABLE, details: 'gone' };

export const granted = (revision = 7): LockSeatResponse =>
  LockSeatResponse.fromPartial({
    lock: { showtimeId: '123', seatId: 'A06', sessionId: 'alice', expireTime: new Date(9e11) },
    revision,
    serverTime: new Date(8e11),
  });

/** A page of showtimes that have one change each. */
export const page = (showtimeIds: readonly string[], nextPageToken = ''): ListShowtimesResponse =>
  ListShowtimesResponse.fromPartial({
    showtimes: showtimeIds.map((showtimeId) => ({ showtimeId, epoch: 'e', revision: 1 })),
    nextPageToken,
  });

export const event = WatchShowtimeResponse.fromPartial;

/** Answers in order; the last script stays. */
export class ScriptedService {
  readonly locks: LockSeatRequest[] = [];
  readonly watches: WatchShowtimeRequest[] = [];
  readonly lists: ListShowtimesRequest[] = [];
  #lockScripts: LockScript[] = [];
  #watchScripts: WatchScript[] = [];
  #pages: PageAnswer[] = [];
  #server = new Server();

  private constructor(
    readonly credentials: ServerCredentials,
    readonly host: string,
    public port: number,
  ) {}

  /** `port` 0: a free one. */
  static async start(
    credentials = ServerCredentials.createInsecure(),
    host = '127.0.0.1',
    port = 0,
  ): Promise<ScriptedService> {
    const service = new ScriptedService(credentials, host, port);
    await service.start();
    return service;
  }

  /** Again on the same port after a `stop`. */
  async start(): Promise<void> {
    this.#server = new Server();
    this.#server.addService(SeatLockServiceService, {
      lockSeat: (call: LockCall, answer: sendUnaryData<LockSeatResponse>) => {
        this.locks.push(call.request);
        const got = take(this.#lockScripts)?.(call);
        if (got === undefined) return;
        if ('revision' in got) answer(null, got);
        else answer(got);
      },
      listShowtimes: (
        call: ServerUnaryCall<ListShowtimesRequest, ListShowtimesResponse>,
        answer: sendUnaryData<ListShowtimesResponse>,
      ) => {
        this.lists.push(call.request);
        const got = take(this.#pages);
        if (got === undefined) return;
        if ('showtimes' in got) answer(null, got);
        else answer(got);
      },
      watchShowtime: (call: WatchCall) => {
        this.watches.push(call.request);
        take(this.#watchScripts)?.(call);
      },
    });
    this.port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(this.address, this.credentials, (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  }

  get address(): string {
    return `${this.host}:${this.port}`;
  }

  scriptLocks(...scripts: (LockScript | LockAnswer)[]): void {
    this.#lockScripts = scripts.map((script) =>
      typeof script === 'function' ? script : () => script,
    );
  }

  scriptWatches(...scripts: WatchScript[]): void {
    this.#watchScripts = scripts;
  }

  /** Without any, a page is never answered. */
  scriptPages(...pages: PageAnswer[]): void {
    this.#pages = pages;
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

function take<Script>(scripts: Script[]): Script | undefined {
  return scripts.length > 1 ? scripts.shift() : scripts[0];
}
