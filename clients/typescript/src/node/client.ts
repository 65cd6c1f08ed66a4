// The client: the service's methods with their types, over one gRPC channel a server.

import { lookup } from 'node:dns/promises';
import * as answers from './answers.js';
import { Caller, type Method } from './call.js';
import { brokenAnswer, clientClosed } from './errors.js';
import { SeatLockServiceService as Service } from './gen/seatlock/v1/seatlock_service.js';
import {
  type CallOptions,
  connectOf,
  type SeatLockClientOptions,
  serversOf,
  settingsOf,
} from './options.js';
import * as requests from './requests.js';
import { Servers } from './servers.js';
import { Token } from './token.js';
import type * as Types from './types.js';
import { GrpcWatch, type ShowtimeWatch } from './watch.js';

/**
 * Typed calls to SeatLockService. One client serves a whole program over one connection a server.
 *
 * Every mutation gets a `requestId` unless the caller gives one, and each of its attempts carries
 * the same, so the service does it once. A failed connection, an attempt without an answer in time,
 * and a service that asks for a pause are tried again until the call's deadline or its retries are
 * used up; anything else is thrown at once. With `servers`, a call goes to its showtime's preferred
 * server; if that is away it goes to the next: at once if nothing was done, as a retry if something
 * may have been. All failures are `SeatLockError`s: tell them apart by
 * `reason`, and ask `outcome` whether a mutation may have happened.
 */
export interface SeatLockClient {
  /** Locks one seat. Locking what the session holds gives the lock as it stands. */
  lockSeat(request: Types.LockSeatRequest, options?: CallOptions): Promise<Types.LockSeatResponse>;
  /** Locks several seats, all or none, and may release others in the same step. */
  lockSeats(
    request: Types.LockSeatsRequest,
    options?: CallOptions,
  ): Promise<Types.LockSeatsResponse>;
  /** Frees one seat that the session holds. A seat that is available already is success. */
  unlockSeat(request: Types.UnlockSeatRequest, options?: CallOptions): Promise<Types.Answer>;
  /** Frees several seats that the session holds, all or none. */
  unlockSeats(request: Types.UnlockSeatsRequest, options?: CallOptions): Promise<Types.Answer>;
  /** Moves `expireTime` of locks to the later of what it is and now + `ttlMs`, all or none. */
  extendLocks(
    request: Types.ExtendLocksRequest,
    options?: CallOptions,
  ): Promise<Types.ExtendLocksResponse>;
  /** Sells seats under an order, all or none, checked and booked in one step. */
  bookSeats(
    request: Types.BookSeatsRequest,
    options?: CallOptions,
  ): Promise<Types.BookSeatsResponse>;
  /** Frees booked seats of an order. Repeating it is success. */
  cancelBooking(request: Types.CancelBookingRequest, options?: CallOptions): Promise<Types.Answer>;
  /** Says what became of an order, for reconciling after a crash. */
  getOrder(request: Types.GetOrderRequest, options?: CallOptions): Promise<Types.GetOrderResponse>;
  /** Every seat that is not available. Unknown showtimes are empty, at revision 0. */
  getShowtime(
    request: Types.GetShowtimeRequest,
    options?: CallOptions,
  ): Promise<Types.GetShowtimeResponse>;
  /** The locks of one session in one showtime. */
  listSessionLocks(
    request: Types.ListSessionLocksRequest,
    options?: CallOptions,
  ): Promise<Types.ListSessionLocksResponse>;
  /** One page of the showtimes that have changes, in byte order of their ids. */
  listShowtimes(
    request?: Types.ListShowtimesRequest,
    options?: CallOptions,
  ): Promise<Types.ListShowtimesResponse>;
  /**
   * Every showtime that has changes, to be taken with `for await`: page after page, each asked for
   * when it is needed and with the options' deadline of its own. Pages are not of one moment.
   */
  allShowtimes(
    request?: Pick<Types.ListShowtimesRequest, 'pageSize'>,
    options?: CallOptions,
  ): AsyncIterableIterator<Types.ShowtimeSummary, undefined>;
  /**
   * Follows a showtime: a snapshot unless resumed, then every change in order, once each. Throws at
   * once where the request cannot be sent; `signal` ends it quietly.
   */
  watchShowtime(
    request: Types.WatchShowtimeRequest,
    options?: { readonly signal?: AbortSignal | undefined },
  ): ShowtimeWatch;
  /**
   * Ends the watches and lets go of the connections. Calls under way may still answer; calls made
   * after it fail with the reason `CLIENT_CLOSED`.
   */
  close(): void;
}

interface Definition<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly responseDeserialize: (value: Buffer) => Response;
}

function method<Request, Wire, Response>(
  { path, requestSerialize, responseDeserialize }: Definition<Request, Wire>,
  answer: (wire: Wire) => Response,
): Method<Request, Response> {
  return {
    path,
    serialize: requestSerialize,
    read: (bytes) => answer(responseDeserialize(bytes)),
  };
}

const METHODS = {
  lockSeat: method(Service.lockSeat, answers.oneLock),
  lockSeats: method(Service.lockSeats, answers.locks),
  unlockSeat: method(Service.unlockSeat, answers.answer),
  unlockSeats: method(Service.unlockSeats, answers.answer),
  extendLocks: method(Service.extendLocks, answers.locks),
  bookSeats: method(Service.bookSeats, answers.booked),
  cancelBooking: method(Service.cancelBooking, answers.answer),
  getOrder: method(Service.getOrder, answers.order),
  getShowtime: method(Service.getShowtime, answers.showtime),
  listSessionLocks: method(Service.listSessionLocks, answers.locks),
  listShowtimes: method(Service.listShowtimes, answers.showtimes),
};

const samePageAgain = () =>
  brokenAnswer(new Error('the next page of showtimes is the same page'), { outcome: 'none' });

async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

class GrpcClient implements SeatLockClient {
  readonly #caller: Caller;
  readonly #watches = new Set<GrpcWatch>();

  constructor(options: SeatLockClientOptions) {
    const settings = settingsOf(options);
    const servers = new Servers(serversOf(options), connectOf(options), addressesOf);
    this.#caller = new Caller(servers, settings, new Token(options.token));
  }

  readonly lockSeat = this.#mutation(METHODS.lockSeat, requests.lockSeat);
  readonly lockSeats = this.#mutation(METHODS.lockSeats, requests.lockSeats);
  readonly unlockSeat = this.#mutation(METHODS.unlockSeat, requests.unlockSeat);
  readonly unlockSeats = this.#mutation(METHODS.unlockSeats, requests.unlockSeats);
  readonly extendLocks = this.#mutation(METHODS.extendLocks, requests.extendLocks);
  readonly bookSeats = this.#mutation(METHODS.bookSeats, requests.bookSeats);
  readonly cancelBooking = this.#mutation(METHODS.cancelBooking, requests.cancelBooking);
  readonly getOrder = this.#reading(METHODS.getOrder, requests.getOrder);
  readonly getShowtime = this.#reading(METHODS.getShowtime, requests.getShowtime);
  readonly listSessionLocks = this.#reading(METHODS.listSessionLocks, requests.listSessionLocks);
  readonly #listShowtimes = this.#reading(METHODS.listShowtimes, requests.listShowtimes);

  listShowtimes(
    request: Types.ListShowtimesRequest = {},
    options?: CallOptions,
  ): Promise<Types.ListShowtimesResponse> {
    return this.#listShowtimes(request, options);
  }

  async *allShowtimes(
    { pageSize }: Pick<Types.ListShowtimesRequest, 'pageSize'> = {},
    options?: CallOptions,
  ): AsyncGenerator<Types.ShowtimeSummary, undefined> {
    let pageToken = '';
    do {
      const page = await this.listShowtimes({ pageSize, pageToken }, options);
      yield* page.showtimes;
      // A service at fault could otherwise keep us here for ever.
      if (page.nextPageToken !== '' && page.nextPageToken === pageToken) throw samePageAgain();
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  watchShowtime(
    request: Types.WatchShowtimeRequest,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): ShowtimeWatch {
    if (this.#caller.closed) throw clientClosed();
    const wire = requests.watchShowtime(request);
    const watch = new GrpcWatch(this.#caller, wire, signal, (it) => this.#watches.delete(it));
    if (!signal?.aborted) this.#watches.add(watch);
    return watch;
  }

  close(): void {
    for (const watch of this.#watches) watch.end();
    this.#caller.close();
  }

  #mutation<Request extends Types.Mutation, Wire extends object, Response>(
    of: Method<Wire & { requestId?: string | undefined }, Response>,
    toWire: (request: Request) => Wire,
  ) {
    return async (request: Request, options?: CallOptions): Promise<Response> => {
      const requestId = requests.requestIdOf(request);
      const wire = { ...toWire(request), requestId };
      return this.#caller.call(of, wire, requestId, options);
    };
  }

  #reading<Request, Wire extends object, Response>(
    of: Method<Wire, Response>,
    toWire: (request: Request) => Wire,
  ) {
    return async (request: Request, options?: CallOptions): Promise<Response> =>
      this.#caller.call(of, toWire(request), undefined, options);
  }
}

/**
 * Makes a client. The connection is made by the first call, so this cannot fail for want of one; it
 * throws a TypeError or RangeError where an option is wrong.
 */
export function createSeatLockClient(options: SeatLockClientOptions): SeatLockClient {
  return new GrpcClient(options);
}
