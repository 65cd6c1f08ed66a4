// One unary call: attempts with deadlines of their own, until one answers or the call's time or
// retries are used up. Every attempt of a mutation carries the same request_id, so the service does
// it once, whichever of its servers is asked; the failure thrown is the last one, and says whether
// any attempt may have happened.

import { type Client, status as grpcStatus, Metadata, type StatusObject } from '@grpc/grpc-js';
import { Aborts } from './aborts.js';
import { LOOKUP_MS_MAX } from './addresses.js';
import { Backoff, pause, until } from './backoff.js';
import {
  type Asked,
  brokenAnswer,
  cancelled,
  clientClosed,
  detailsOf,
  type ErrorDetails,
  errorOf,
} from './errors.js';
import { type CallOptions, type Settings, spanMs } from './options.js';
import { Route } from './route.js';
import { isAway, type Servers, signOf } from './servers.js';
import { bearer, type Token } from './token.js';

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

// The service looks closer; here nothing that gRPC would refuse may pass.
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]{0,200})?$/;

function traceMetadata(traceparent: string | null | undefined): Metadata {
  const metadata = new Metadata();
  if (traceparent && TRACEPARENT.test(traceparent)) metadata.set('traceparent', traceparent);
  return metadata;
}

function attempt<Request>(
  client: Client,
  method: Method<Request, unknown>,
  request: Request,
  metadata: Metadata,
  timeMs: number,
  onAbort: (run: () => void) => () => void,
): Promise<Attempt> {
  return new Promise((resolve) => {
    const call = client.makeUnaryRequest(
      method.path,
      method.serialize,
      asBytes,
      request,
      metadata,
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
 * The service decided the request, and with it all attempts that were done before: one of them
 * would have got its first answer again. An attempt that comes later is not settled (errors.ts).
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

// How grpc-js says that it had no connection to send the request on, or that the server's HTTP/2
// did not take it.
const NOT_SENT = /^(No connection established|Name resolution failed|Stream refused by server)/;

/** Whether this attempt certainly did nothing, so that another server may be asked at once. */
const didNothing = (failure: StatusObject, { metadata }: ErrorDetails, mutates: boolean): boolean =>
  !mutates || metadata.outcome === 'none' || NOT_SENT.test(failure.details);

function read<Response>(method: Method<never, Response>, bytes: Buffer, asked: Asked): Response {
  try {
    return method.read(bytes);
  } catch (cause) {
    // Not asked again: the answer would be the same.
    const outcome = asked.requestId === undefined ? 'none' : 'unknown';
    throw brokenAnswer(cause, { ...asked, outcome });
  }
}

/** What is asked of no showtime has a preferred server, too: the same for all who ask. */
const showtimeOf = (request: object): string =>
  'showtimeId' in request ? String(request.showtimeId) : '';

/** Makes the unary calls of one client. */
export class Caller {
  readonly aborts = new Aborts();
  #closed = false;

  constructor(
    readonly servers: Servers,
    readonly settings: Settings,
    readonly token: Token,
  ) {}

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls under way end as they would; no attempt starts after it. */
  close(): void {
    this.#closed = true;
    this.servers.close();
  }

  /** `requestId` is given for mutations alone, and stands in `request`. */
  async call<Request extends object, Response>(
    method: Method<Request, Response>,
    request: Request,
    requestId: string | undefined,
    { signal, deadlineMs = this.settings.deadlineMs, traceparent }: CallOptions = {},
  ): Promise<Response> {
    const end = performance.now() + spanMs(deadlineMs, 'deadlineMs');
    const left = () => end - performance.now();
    const { attemptMs, backoffFirstMs, backoffMaxMs } = this.settings;
    const onAbort = (run: () => void) => this.aborts.on(signal, run);
    if (this.#closed) throw clientClosed();
    if (signal?.aborted) throw cancelled(signal, { outcome: 'none', requestId });
    const names = this.servers.ready();
    if (names) await until(names, Math.min(left(), LOOKUP_MS_MAX), onAbort);
    if (signal?.aborted) throw cancelled(signal, { outcome: 'none', requestId });
    if (this.#closed) throw clientClosed();
    let { text: token } = this.token;
    if (this.token.fetches) {
      token = await this.#tokenWithin(left(), onAbort, this.token.get());
      if (signal?.aborted) throw cancelled(signal, { outcome: 'none', requestId });
      if (this.#closed) throw clientClosed();
    }
    const route = new Route(this.servers, showtimeOf(request));
    let server = route.first();
    let backoff: Backoff | undefined;
    let doubt = false;
    let renewed = false;
    for (let retries = this.settings.retries; ; ) {
      const time = Math.min(left(), attemptMs);
      const { answer, failure } = await attempt(
        server.channel,
        method,
        request,
        bearer(token, traceMetadata(traceparent)),
        time,
        onAbort,
      );
      if (failure === undefined) {
        route.heard(server, 'answered');
        return read(method, answer, { outcome: 'none', requestId, server: server.address });
      }
      const details = detailsOf(failure);
      doubt = (doubt || mayHaveHappened(failure, details)) && !settles(failure, details);
      const outcome = doubt && requestId !== undefined ? 'unknown' : 'none';
      const ofSeveral = this.servers.several;
      const asked = { outcome, requestId, server: server.address, ofSeveral } as const;
      const error = errorOf(failure, details, asked);
      const sign = signal?.aborted ? 'undecided' : signOf(error, time === attemptMs);
      route.heard(server, sign, details.retryAfterMs);
      if (signal?.aborted) throw cancelled(signal, asked);
      if (failure.code === grpcStatus.UNAUTHENTICATED && !renewed && !this.#closed) {
        renewed = true;
        token = await this.#tokenWithin(left(), onAbort, this.token.renewed(token));
        if (signal?.aborted) throw cancelled(signal, asked);
        if (token !== undefined && left() > 0) continue;
      }
      if (!mayRetry(failure, details) || this.#closed) throw error;
      const moves = isAway(sign) && didNothing(failure, details, requestId !== undefined);
      const next = moves && left() > 0 ? route.another() : undefined;
      if (next === undefined) {
        if (retries-- === 0) throw error;
        backoff ??= new Backoff(backoffFirstMs, backoffMaxMs);
        const wait = backoff.next(route.askedForMs, left());
        if (wait >= left()) throw error;
        await pause(wait, onAbort);
        if (signal?.aborted) throw cancelled(signal, asked);
        if (this.#closed) throw error;
      }
      server = next ?? route.first();
    }
  }

  /** Rejects as `wanted` does; undefined if that takes longer than `ms` or the call is given up. */
  async #tokenWithin(
    ms: number,
    onAbort: (run: () => void) => () => void,
    wanted: Promise<string | undefined>,
  ): Promise<string | undefined> {
    let token: string | undefined;
    let failure: { error: unknown } | undefined;
    const settled = wanted.then(
      (got) => {
        token = got;
      },
      (error: unknown) => {
        failure = { error };
      },
    );
    await until(settled, ms, onAbort);
    if (failure) throw failure.error;
    return token;
  }
}
