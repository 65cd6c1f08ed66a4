// Follows one showtime for as long as it is wanted, whatever happens to the connection.

import { status as grpcStatus, Metadata, type StatusObject } from '@grpc/grpc-js';
import * as answers from './answers.js';
import { Backoff, pause } from './backoff.js';
import type { Caller } from './call.js';
import { brokenAnswer, detailsOf, errorOf, SeatLockError } from './errors.js';
import {
  SeatLockServiceService,
  type WatchShowtimeRequest,
  type WatchShowtimeResponse,
} from './gen/seatlock/v1/seatlock_service.js';
import type { Change, Progress, ShowtimeSnapshot } from './gen/seatlock/v1/seats.js';
import { MessageStream } from './stream.js';
import type { Position, WatchEvent } from './types.js';

/**
 * A showtime that is followed, to be taken with `for await`. A snapshot comes whole and stands in
 * place of all before; changes come in order, once each, without holes. A stream that is lost,
 * silent or broken is opened anew at the position it had, for as long as it takes: as late as the
 * service asks, and with growing pauses. So is one that an overloaded service refused, or that a
 * proxy answered in its place with an HTTP 404 or 5xx.
 *
 * Nothing is asked for before the first `next()`. One that takes slowly is sent a fresh snapshot in
 * place of what it missed; nothing piles up here.
 */
export interface ShowtimeWatch extends AsyncIterableIterator<WatchEvent> {
  /**
   * The next event. Done after `return()`, after the signal has aborted, and after the client was
   * closed. Rejects with a `SeatLockError` where the service refuses the watch for good, such as
   * `INVALID_FIELD`: that ends it.
   */
  next(): Promise<IteratorResult<WatchEvent, undefined>>;
  /** Ends the watch, and a `next()` that waits. */
  return(): Promise<IteratorResult<WatchEvent, undefined>>;
  /** What was last yielded: resume with it to go on after it. Null before that. */
  readonly position: Position | null;
  /** Why there is no stream just now, while the watch tries to get one; null while there is. */
  readonly failure: SeatLockError | null;
}

// What asking again cannot heal. The rest comes of the connection, of a proxy, or of a service that
// is overloaded or being replaced. clients/cpp has the same list.
const FOR_GOOD: ReadonlySet<number> = new Set([
  grpcStatus.INVALID_ARGUMENT,
  grpcStatus.NOT_FOUND,
  grpcStatus.PERMISSION_DENIED,
  grpcStatus.FAILED_PRECONDITION,
  grpcStatus.UNIMPLEMENTED,
  grpcStatus.UNAUTHENTICATED,
]);

// What grpc-js makes of an HTTP answer that is not gRPC's: a proxy's 404 becomes UNIMPLEMENTED,
// which only this text tells from a service that does not have the method.
const PROXY_404 = /^Received HTTP status code 404\b/;

const isForGood = ({ code, details }: StatusObject): boolean =>
  FOR_GOOD.has(code) && !(code === grpcStatus.UNIMPLEMENTED && PROXY_404.test(details));

const SNAPSHOT_SEATS_MAX = 1_000_000; // ten stadiums; what a service at fault could fill

const NOWHERE: Position = { epoch: '', revision: 0 };
const DONE = { done: true, value: undefined } as const;

export class GrpcWatch implements ShowtimeWatch {
  position: Position | null;
  failure: SeatLockError | null = null;
  readonly #caller: Caller;
  readonly #request: WatchShowtimeRequest;
  readonly #backoff: Backoff;
  readonly #over = new AbortController();
  readonly #onEnd: () => void;
  #stream: MessageStream<Buffer> | undefined;
  #partial: ShowtimeSnapshot | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    caller: Caller,
    request: WatchShowtimeRequest,
    signal: AbortSignal | undefined,
    onEnd: (watch: GrpcWatch) => void,
  ) {
    const { backoffFirstMs, backoffMaxMs } = caller.settings;
    this.#caller = caller;
    this.#request = request;
    this.#backoff = new Backoff(backoffFirstMs, backoffMaxMs);
    this.position = request.resume ?? null;
    const forget = caller.aborts.on(signal, () => this.end());
    this.#onEnd = () => {
      forget();
      onEnd(this);
    };
    if (signal?.aborted) this.end();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  // Calls that overlap are served in turn.
  next(): Promise<IteratorResult<WatchEvent, undefined>> {
    const mine = this.#turn.then(() => this.#next());
    this.#turn = mine.catch(() => {});
    return mine;
  }

  return(): Promise<IteratorResult<WatchEvent, undefined>> {
    this.end();
    return Promise.resolve(DONE);
  }

  /** Ends the watch; may be called repeatedly. */
  end(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#stream?.cancel();
    this.#stream = undefined;
    this.#partial = undefined;
    this.#onEnd();
  }

  async #next(): Promise<IteratorResult<WatchEvent, undefined>> {
    while (!this.#over.signal.aborted) {
      this.#stream ??= this.#open();
      const bytes = await this.#stream.next(this.#caller.settings.silenceMs);
      if (this.#over.signal.aborted) break;
      const event = bytes === undefined ? this.#lost(this.#stream.status) : this.#read(bytes);
      if (event instanceof SeatLockError) await this.#recover(event);
      else if (event !== undefined) return { done: false, value: event };
    }
    return DONE;
  }

  #open(): MessageStream<Buffer> {
    // A position without an epoch is one too: from it every change follows, and no snapshot.
    this.#request.resume = this.position ? { ...this.position } : undefined;
    this.#partial = undefined;
    return new MessageStream(
      this.#caller.channel.makeServerStreamRequest(
        SeatLockServiceService.watchShowtime.path,
        SeatLockServiceService.watchShowtime.requestSerialize,
        // Decoded in #read, which tells what cannot be read from a stream that was lost.
        (bytes: Buffer) => bytes,
        this.#request,
        new Metadata(),
      ),
    );
  }

  /** Why the stream is over; throws what no attempt can heal. */
  #lost(status: StatusObject | undefined): SeatLockError {
    if (status === undefined) return trouble('DEADLINE_EXCEEDED', 'the stream was silent');
    if (status.code === grpcStatus.OK)
      return trouble('UNAVAILABLE', 'the service ended the stream');
    const failure = errorOf(status, detailsOf(status), 'none');
    if (!isForGood(status)) return failure;
    this.failure = failure;
    this.end();
    throw failure;
  }

  /** Waits for the time of the next attempt. */
  async #recover(failure: SeatLockError): Promise<void> {
    this.failure = failure;
    this.#stream?.cancel();
    this.#stream = undefined;
    const onEnd = (wake: () => void) => this.#caller.aborts.on(this.#over.signal, wake);
    await pause(this.#backoff.next(failure.retryAfterMs), onEnd);
  }

  #read(bytes: Buffer): WatchEvent | SeatLockError | undefined {
    try {
      const taken = this.#take(SeatLockServiceService.watchShowtime.responseDeserialize(bytes));
      if (!(taken instanceof SeatLockError)) this.#healthy();
      return taken;
    } catch (cause) {
      this.end();
      throw brokenAnswer(cause, 'none');
    }
  }

  #healthy(): void {
    this.failure = null;
    this.#backoff.reset();
  }

  #take({ event }: WatchShowtimeResponse): WatchEvent | SeatLockError | undefined {
    switch (event?.$case) {
      case 'snapshot':
        return this.#takeSnapshot(event.value);
      case 'change':
        return this.#takeChange(event.value);
      case 'progress':
        return this.#takeProgress(event.value);
      default:
        return undefined; // an event that this version does not know
    }
  }

  #takeSnapshot(piece: ShowtimeSnapshot): WatchEvent | SeatLockError | undefined {
    const whole = this.#partial ?? piece;
    if (whole.epoch !== piece.epoch || whole.revision !== piece.revision) return hole();
    if (whole !== piece) for (const seat of piece.seats) whole.seats.push(seat);
    if (whole.seats.length > SNAPSHOT_SEATS_MAX) throw new Error('a snapshot of too many seats');
    this.#partial = piece.more ? whole : undefined;
    if (piece.more) return undefined;
    this.position = { epoch: whole.epoch, revision: whole.revision };
    return { type: 'snapshot', snapshot: answers.snapshot(whole), replaces: whole.replaces };
  }

  #takeChange(wire: Change): WatchEvent | SeatLockError {
    const { epoch, revision } = this.position ?? NOWHERE;
    const follows = wire.revision === revision + 1 && (epoch === '' || wire.epoch === epoch);
    if (!follows || this.#partial) return hole();
    this.position = { epoch: wire.epoch, revision: wire.revision };
    return { type: 'change', change: answers.change(wire) };
  }

  #takeProgress(wire: Progress): WatchEvent | SeatLockError {
    const { epoch, revision } = this.position ?? NOWHERE;
    if (wire.epoch !== epoch || wire.revision !== revision || this.#partial) return hole();
    this.position = { epoch, revision };
    return { type: 'progress', position: this.position };
  }
}

const trouble = (reason: 'DATA_LOSS' | 'DEADLINE_EXCEEDED' | 'UNAVAILABLE', message: string) =>
  new SeatLockError(message, { reason, code: grpcStatus[reason] });

/** The stream does not continue what came before, so nothing more is taken from it. */
const hole = () =>
  trouble('DATA_LOSS', 'the stream had a hole; asking again from the last position');
