// Follows one showtime for as long as it is wanted, whatever happens to connections and servers.

import { status as grpcStatus, type StatusObject } from '@grpc/grpc-js';
import { LOOKUP_MS_MAX } from './addresses.js';
import * as answers from './answers.js';
import { Backoff, pause, until } from './backoff.js';
import type { Caller } from './call.js';
import { brokenAnswer, detailsOf, errorOf, SeatLockError } from './errors.js';
import {
  SeatLockServiceService,
  type WatchShowtimeRequest,
  type WatchShowtimeResponse,
} from './gen/seatlock/v1/seatlock_service.js';
import type { Change, Progress, ShowtimeSnapshot } from './gen/seatlock/v1/seats.js';
import { Homing } from './homing.js';
import { Route } from './route.js';
import { isAway, type Server, signOf } from './servers.js';
import { MessageStream } from './stream.js';
import { bearer } from './token.js';
import type { Position, WatchEvent } from './types.js';

/**
 * A showtime that is followed, to be taken with `for await`. A snapshot comes whole and stands in
 * place of all before; changes come in order, once each, without holes. A stream that is lost,
 * silent or broken is opened anew at the position it had, for as long as it takes: as late as the
 * service asks, and with growing pauses. So is one that an overloaded service refused, or that a
 * proxy answered in its place with an HTTP 404 or 5xx.
 *
 * With several servers, one that is away hands the watch on to the next at once, at its position,
 * and it returns to the one that its showtime prefers within seconds after that one is back.
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

// What a watch does with its stream:
//
//   stage  | opens  | a message | the stream is lost
//   -------+--------+-----------+--------------------------------------------------------------
//   begin  | opened | –         | –
//   onward | opened | –         | –
//   opened | opened | live      | onward if another server is worth asking at once; else a pause,
//   live   | opened | live      | then begin
//
// It opens with `next`: at the first server of a round (begin), at another one of the same round
// (onward), or, though it has a stream, at a better server that homing.ts has found.
type Stage = 'begin' | 'onward' | 'opened' | 'live';

const SNAPSHOT_SEATS_MAX = 1_000_000; // ten stadiums; what a service at fault could fill

const NOWHERE: Position = { epoch: '', revision: 0 };
const DONE = { done: true, value: undefined } as const;

export class GrpcWatch implements ShowtimeWatch {
  position: Position | null;
  failure: SeatLockError | null = null;
  readonly #caller: Caller;
  readonly #request: WatchShowtimeRequest;
  readonly #backoff: Backoff;
  readonly #route: Route;
  readonly #homing: Homing;
  readonly #over = new AbortController();
  readonly #onEnd: () => void;
  #stream: MessageStream<Buffer> | undefined;
  /** Of another server, while `#homing` asks it. */
  #probing: MessageStream<Buffer> | undefined;
  /** Whose `#stream` is; after that is lost, whose it was. */
  #server: Server | undefined;
  #stage: Stage = 'begin';
  /** Streams in a row that sent no message in time. */
  #silent = 0;
  #token: string | undefined; // of the stream
  #renewed = false; // there was a fresh token since the last message
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
    this.#route = new Route(caller.servers, request.showtimeId);
    this.#homing = new Homing(caller.servers, request.showtimeId, {
      probe: (server) => this.#probe(server),
      onFound: () => this.#stream?.cancel(),
    });
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
    this.#leave();
    this.#probing?.cancel();
    this.#partial = undefined;
    this.#onEnd();
  }

  async #next(): Promise<IteratorResult<WatchEvent, undefined>> {
    while (!this.#over.signal.aborted) {
      const open = this.#stream && !this.#homing.found;
      const stream = open ? this.#stream : await this.#open();
      const bytes = await stream?.next(this.#patienceMs());
      if (this.#over.signal.aborted) break;
      if (bytes === undefined && this.#homing.found) continue;
      const event = bytes === undefined ? await this.#lost(stream?.status) : this.#read(bytes);
      if (event instanceof SeatLockError) await this.#recover(event);
      else if (event === 'renewed') this.#leave();
      else if (event !== undefined) return { done: false, value: event };
    }
    return DONE;
  }

  /** Opens a stream in place of what there was; undefined if the watch has ended meanwhile. */
  async #open(): Promise<MessageStream<Buffer> | undefined> {
    const names = this.#caller.servers.ready();
    if (names) await until(names, LOOKUP_MS_MAX, (wake) => this.#whenOver(wake));
    if (this.#over.signal.aborted) return undefined;
    const { token } = this.#caller;
    this.#token = token.fetches ? await token.get() : token.text;
    if (this.#over.signal.aborted) return undefined;
    const better = this.#homing.take();
    this.#leave();
    const onward = this.#stage === 'onward' ? this.#route.another() : undefined;
    this.#server = better ? this.#route.at(better) : (onward ?? this.#route.first());
    this.#stage = 'opened';
    this.#partial = undefined;
    this.#stream = this.#streamOf(this.#server);
    return this.#stream;
  }

  #streamOf(server: Server): MessageStream<Buffer> {
    // A position without an epoch is one too: from it every change follows, and no snapshot.
    const resume = this.position ? { ...this.position } : undefined;
    return new MessageStream(
      server.channel.makeServerStreamRequest(
        SeatLockServiceService.watchShowtime.path,
        SeatLockServiceService.watchShowtime.requestSerialize,
        // Decoded in #read, which tells what cannot be read from a stream that was lost.
        (bytes: Buffer) => bytes,
        { ...this.#request, resume },
        bearer(this.#token),
      ),
    );
  }

  #leave(): void {
    this.#homing.stop();
    this.#stream?.cancel();
    this.#stream = undefined;
  }

  #whenOver(wake: () => void): () => void {
    return this.#caller.aborts.on(this.#over.signal, wake);
  }

  /**
   * For the next message. A service sends the first one at once, so where there is another server
   * to go to, one that sends none soon is left: later each time, because a disk may be slow.
   */
  #patienceMs(): number {
    const { silenceMs, attemptMs } = this.#caller.settings;
    if (this.#stage === 'live' || !this.#caller.servers.several) return silenceMs;
    return Math.min(silenceMs, attemptMs * 2 ** this.#silent);
  }

  /**
   * Why the stream is over; throws what no attempt can heal. `renewed`: it was refused for its
   * token, and there is another one now.
   */
  async #lost(status: StatusObject | undefined): Promise<SeatLockError | 'renewed'> {
    if (status === undefined && this.#stage === 'opened') this.#silent += 1;
    const failure = this.#failureOf(status, this.#server);
    if (status === undefined || !isForGood(status)) return failure;
    if (await this.#hasFreshToken(status)) return 'renewed';
    this.failure = failure;
    this.end();
    throw failure;
  }

  /** Once between two messages, so that a service that refuses every token ends the watch. */
  async #hasFreshToken(status: StatusObject): Promise<boolean> {
    if (status.code !== grpcStatus.UNAUTHENTICATED || this.#renewed) return false;
    this.#renewed = true;
    return (await this.#caller.token.renewed(this.#token)) !== undefined;
  }

  #failureOf(status: StatusObject | undefined, server: Server | undefined): SeatLockError {
    const address = server?.address;
    if (status === undefined) return trouble('DEADLINE_EXCEEDED', 'the stream was silent', address);
    if (status.code === grpcStatus.OK) {
      return trouble('UNAVAILABLE', 'the service ended the stream', address);
    }
    const ofSeveral = this.#caller.servers.several;
    return errorOf(status, detailsOf(status), { outcome: 'none', server: address, ofSeveral });
  }

  /** Asks whether `server` would serve this watch: it answers a stream at this position at once. */
  async #probe(server: Server): Promise<SeatLockError | undefined> {
    server.asked(this.#request.showtimeId);
    const stream = this.#streamOf(server);
    this.#probing = stream;
    const bytes = await stream.next(this.#caller.settings.attemptMs);
    stream.cancel();
    this.#probing = undefined;
    const failure = bytes ? undefined : this.#failureOf(stream.status, server);
    const heard = failure ? signOf(failure, true) : 'answered';
    const sign = this.#over.signal.aborted ? 'undecided' : heard;
    this.#caller.servers.heard(server, sign, this.#request.showtimeId, failure?.retryAfterMs);
    return failure;
  }

  /** Goes on to the next server, or waits for the time of the next attempt. */
  async #recover(failure: SeatLockError): Promise<void> {
    this.failure = failure;
    this.#leave();
    const sign = signOf(failure, true);
    if (this.#server) this.#route.heard(this.#server, sign, failure.retryAfterMs);
    this.#stage = isAway(sign) && this.#route.hasAnother ? 'onward' : 'begin';
    if (this.#stage === 'onward') return;
    const waitMs = this.#backoff.next(this.#route.askedForMs);
    await pause(waitMs, (wake) => this.#whenOver(wake));
  }

  #read(bytes: Buffer): WatchEvent | SeatLockError | undefined {
    try {
      const taken = this.#take(SeatLockServiceService.watchShowtime.responseDeserialize(bytes));
      if (!(taken instanceof SeatLockError)) this.#healthy();
      return taken;
    } catch (cause) {
      this.end();
      throw brokenAnswer(cause, { outcome: 'none', server: this.#server?.address });
    }
  }

  #healthy(): void {
    if (!this.#server) return;
    if (this.#stage !== 'live') this.#route.heard(this.#server, 'answered');
    this.#stage = 'live';
    this.#silent = 0;
    this.#renewed = false;
    this.failure = null;
    this.#backoff.reset();
    // Without a position another server would have to begin with the snapshot.
    if (this.position) this.#homing.start(this.#server);
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
    if (whole.epoch !== piece.epoch || whole.revision !== piece.revision) return this.#hole();
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
    if (!follows || this.#partial) return this.#hole();
    this.position = { epoch: wire.epoch, revision: wire.revision };
    return { type: 'change', change: answers.change(wire) };
  }

  #takeProgress(wire: Progress): WatchEvent | SeatLockError {
    const { epoch, revision } = this.position ?? NOWHERE;
    if (wire.epoch !== epoch || wire.revision !== revision || this.#partial) return this.#hole();
    this.position = { epoch, revision };
    return { type: 'progress', position: this.position };
  }

  /** The stream does not continue what came before, so nothing more is taken from it. */
  #hole(): SeatLockError {
    const message = 'the stream had a hole; asking again from the last position';
    return trouble('DATA_LOSS', message, this.#server?.address);
  }
}

function trouble(
  reason: 'DATA_LOSS' | 'DEADLINE_EXCEEDED' | 'UNAVAILABLE',
  message: string,
  server?: string,
): SeatLockError {
  return new SeatLockError(message, { reason, code: grpcStatus[reason], server });
}
