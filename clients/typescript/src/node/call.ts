// One unary call: attempts with deadlines of their own, until one answers or the call's time or
// retries are used up. Every attempt of a mutation carries the same request_id, so the service does
// it once; the failure thrown is the last one, and says whether any attempt may have happened.

import { type Client, status as grpcStatus, Metadata, type StatusObject } from '@grpc/grpc-js';
import { Aborts } from './aborts.js';
import { Backoff, pause } from './backoff.js';
import {
  brokenAnswer,
  cancelled,
  clientClosed,
  detailsOf,
  type ErrorDetails,
  errorOf,
} from './errors.js';
import { type CallOptions, type Settings, spanMs } from './options.js';

/** A unary method: the client's request to bytes, and bytes to the client's answer. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly serialize: (request: Request) => Buffer;
  /** Throws where the bytes are no answer. */
  readonly read: (bytes: Buffer) => Response;
}

type Attempt =
  | { readonly answer: Buffer; readonly failure?: undefined }
  | { readonly answer?: undefined; readonly failure: StatusObject };

const asBytes = (bytes: Buffer): Buffer => bytes;

function attempt<Request>(
  client: Client,
  method: Method<Request, unknown>,
  request: Request,
  timeMs: number,
  onAbort: (run: () => void) => () => void,
): Promise<Attempt> {
  return new Promise((resolve) => {
    const call = client.makeUnaryRequest(
      method.path,
      method.serialize,
      asBytes,
      request,
      new Metadata(),
      { deadline: Date.now() + timeMs },
      (failure, answer) => {
        undo();
        if (failure) resolve({ failure });
        else if (answer) resolve({ answer });
      },
    );
    const undo = onAbort(() => call.cancel());
  });
}

/**
 * The service decided the request, and with it all attempts before: one that had been done would
 * have got its first answer again.
 */
const settles = (failure: StatusObject, { reason, metadata }: ErrorDetails): boolean =>
  reason !== undefined &&
  metadata.outcome === undefined &&
  failure.code !== grpcStatus.RESOURCE_EXHAUSTED;

// Without a word of the service's own these come of the connection, a proxy or a limit of this
// side, so the request may have been done. The others are said before a handler runs.
const IN_DOUBT: ReadonlySet<number> = new Set([
  grpcStatus.CANCELLED,
  grpcStatus.UNKNOWN,
  grpcStatus.DEADLINE_EXCEEDED,
  grpcStatus.RESOURCE_EXHAUSTED,
  grpcStatus.ABORTED,
  grpcStatus.INTERNAL,
  grpcStatus.UNAVAILABLE,
  grpcStatus.DATA_LOSS,
]);

function mayHaveHappened(failure: StatusObject, { reason, metadata }: ErrorDetails): boolean {
  if (metadata.outcome !== undefined) return metadata.outcome !== 'none';
  if (failure.code === grpcStatus.UNAVAILABLE) return true;
  return reason === undefined && IN_DOUBT.has(failure.code);
}

// INTERNAL and CANCELLED without a reason are how grpc-js reports a stream that was reset.
const RETRIED_WITHOUT_REASON: ReadonlySet<number> = new Set([
  grpcStatus.DEADLINE_EXCEEDED,
  grpcStatus.INTERNAL,
  grpcStatus.CANCELLED,
]);

function mayRetry(failure: StatusObject, { reason, retryAfterMs }: ErrorDetails): boolean {
  if (failure.code === grpcStatus.UNAVAILABLE) return true;
  if (failure.code === grpcStatus.RESOURCE_EXHAUSTED) return retryAfterMs !== undefined;
  return reason === undefined && RETRIED_WITHOUT_REASON.has(failure.code);
}

function read<Response>(
  method: Method<never, Response>,
  bytes: Buffer,
  requestId: string | undefined,
): Response {
  try {
    return method.read(bytes);
  } catch (cause) {
    // Not asked again: the answer would be the same.
    throw brokenAnswer(cause, requestId === undefined ? 'none' : 'unknown', requestId);
  }
}

/** Makes the unary calls of one client. */
export class Caller {
  readonly aborts = new Aborts();
  #closed = false;

  constructor(
    readonly channel: Client,
    readonly settings: Settings,
  ) {}

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls under way end as they would; no attempt starts after it. */
  close(): void {
    this.#closed = true;
    this.channel.close();
  }

  /** `requestId` is given for mutations alone, and stands in `request`. */
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    requestId: string | undefined,
    { signal, deadlineMs = this.settings.deadlineMs }: CallOptions = {},
  ): Promise<Response> {
    const end = performance.now() + spanMs(deadlineMs, 'deadlineMs');
    if (this.#closed) throw clientClosed();
    if (signal?.aborted) throw cancelled(signal, 'none', requestId);
    const onAbort = (run: () => void) => this.aborts.on(signal, run);
    let backoff: Backoff | undefined;
    let doubt = false;
    for (let left = this.settings.retries; ; --left) {
      const time = Math.min(end - performance.now(), this.settings.attemptMs);
      const { answer, failure } = await attempt(this.channel, method, request, time, onAbort);
      if (failure === undefined) return read(method, answer, requestId);
      const details = detailsOf(failure);
      doubt = (doubt || mayHaveHappened(failure, details)) && !settles(failure, details);
      const outcome = doubt && requestId !== undefined ? 'unknown' : 'none';
      const error = errorOf(failure, details, outcome, requestId);
      if (signal?.aborted) throw cancelled(signal, outcome, requestId);
      if (left === 0 || !mayRetry(failure, details)) throw error;
      backoff ??= new Backoff(this.settings.backoffFirstMs, this.settings.backoffMaxMs);
      const wait = backoff.next(details.retryAfterMs, end - performance.now());
      if (performance.now() + wait >= end) throw error;
      await pause(wait, onAbort);
      if (signal?.aborted) throw cancelled(signal, outcome, requestId);
      if (this.#closed) throw error;
    }
  }
}
