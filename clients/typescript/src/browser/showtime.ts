// A followed showtime, put together from its seats, its clock and its connection; and the page's
// registry, through which all who ask for the same one share it.

import { retryMs } from './backoff.js';
import { serverClock } from './clock.js';
import { type Channel, type Connection, openConnection, type SocketState } from './connection.js';
import { listeners } from './listeners.js';
import type {
  CurrentSeatStatus,
  ErrorFrame,
  SeatUpdate,
  ServerFrame,
  Subscribed,
} from './protocol.js';
import { seatStore } from './store.js';
import type {
  ConnectionState,
  InitialSnapshot,
  Showtime,
  ShowtimeOptions,
  TokenFunction,
} from './types.js';

/** After the last one left: a component that is mounted again, or the next page, finds it live. */
const LINGER_MS = 1_000;

const IDLE: ConnectionState = {
  status: 'idle',
  error: null,
  retryAt: null,
  stale: true,
  recovered: false,
};

/** Refusals that pass: the showtime is asked for again by itself. */
const LIMITED = 'RATE_LIMITED';
const PASSING = ['SHOWTIME_UNAVAILABLE', LIMITED];

/**
 * Whose the locks are that the store shows: of `known` ones, whose; of others perhaps not.
 *
 * | event                                         | `known`   | `unknown`       | `asked`   |
 * |-----------------------------------------------|-----------|-----------------|-----------|
 * | `subscribed`, recovered: it names them        | stays     | `known`         | `known`   |
 * | the snapshot of a `subscribed`, or a viewer's | stays     | `known`         | `known`   |
 * | a later snapshot, or one that came by itself  | `unknown` | stays           | `unknown` |
 * | live, or live again                           | stays     | asks: `asked`   | stays     |
 * | an initial snapshot                           | `asked`   | `asked`         | stays     |
 *
 * While the service is away nobody asks: its return may bring `subscribed` by itself.
 */
type Own = 'known' | 'unknown' | 'asked';

interface Followable extends Showtime {
  load(snapshot: InitialSnapshot): void;
  setToken(fetchToken: TokenFunction): void;
}

/** `open`: the connection for its URL and session, opened by joining it. */
function followable(
  showtimeId: string,
  url: string,
  sessionId: string | undefined,
  open: () => Connection,
): Followable {
  const store = seatStore(showtimeId, sessionId);
  const initial = seatStore(showtimeId, sessionId);
  const clock = serverClock(jumped);
  const connectionListeners = listeners();
  let state = IDLE;
  let lagMs = 0;
  let followers = 0;
  let linger: ReturnType<typeof setTimeout> | undefined;
  let connection: Connection | undefined;
  let fetchToken: TokenFunction | undefined;
  /** The last `subscribed` whose snapshot is to come. */
  let awaited: Subscribed | null = null;
  let own: Own = 'asked';
  /** `subscribed` came on this socket: before it nothing that is shown is called live. */
  let here = false;
  /** The edge refused the showtime. With a timer: and wants to be left alone until it ends. */
  let refusal: { shown: SocketState; timer?: ReturnType<typeof setTimeout> } | undefined;

  function set(change: Partial<ConnectionState>): void {
    const stale = (change.status ?? state.status) !== 'live';
    const next = { ...state, ...change, stale };
    const keys = Object.keys(next) as (keyof ConnectionState)[];
    if (keys.every((key) => next[key] === state[key])) return;
    state = next;
    connectionListeners.call();
  }

  function receive(frame: ServerFrame): void {
    if (frame.type === 'error') {
      refuse(frame);
      return;
    }
    if (frame.type === 'connection_established') clock.renew();
    const late = clock.hear(frame.timestamp);
    if (frame.type === 'pong') clock.answered();
    if (frame.type === 'subscribed') subscribed(frame);
    if (frame.type === 'current_seat_status') snapshot(frame);
    if (frame.type === 'stream_status') streamStatus(frame.live);
    if (frame.type === 'seat_status_change') change(frame, late);
  }

  /**
   * What is known stays, to resume from. The wait is the showtime's, not the socket's: a socket
   * that opens meanwhile leaves this showtime out, and one that opens later subscribes as usual.
   * Only what was too much for one socket is over with it.
   */
  function refuse({ showtimeId: named, code, message, retryAfterMs }: ErrorFrame): void {
    const error = { closeCode: 0, code, message };
    if (named === undefined) {
      set({ error });
      return;
    }
    endWait();
    here = false;
    awaited = null;
    const asks = PASSING.includes(code) || retryAfterMs;
    const ms = retryMs(retryAfterMs);
    const shown: SocketState = { status: 'stale', error, retryAt: asks ? Date.now() + ms : null };
    refusal = asks ? { shown, timer: setTimeout(askAgain, ms) } : { shown };
    set(shown);
  }

  function endWait(): void {
    clearTimeout(refusal?.timer);
    refusal = undefined;
  }

  function askAgain(): void {
    endWait();
    if (state.status === 'stale') set({ retryAt: null });
    connection?.subscribe(channel);
  }

  /** Timers do not move with this device's clock, so the times that are shown have to. */
  function jumped(byMs: number): void {
    if (refusal?.shown.retryAt) {
      refusal.shown = { ...refusal.shown, retryAt: refusal.shown.retryAt + byMs };
      if (state.status === 'stale') set(refusal.shown);
    }
    connection?.probe();
  }

  function change(frame: SeatUpdate, late: number): void {
    // What is known already came again, with a resume: it says nothing of the stream's lag.
    if (frame.revision > (store.position()?.revision ?? Number.POSITIVE_INFINITY)) lagMs = late;
    store.change(frame);
  }

  function subscribed(frame: Subscribed): void {
    endWait();
    here = true;
    // Half a change of the socket before comes again, whole.
    store.forget();
    awaited = frame.recovered ? null : frame;
    if (frame.recovered) {
      store.learnEpoch(frame.epoch);
      store.own(frame.yourSeats, own !== 'known');
      ownIs('known');
    }
    const status = frame.live === false ? 'stale' : 'live';
    set({ status, error: null, retryAt: null, recovered: frame.recovered });
  }

  /**
   * `yourSeats` are of the moment of `subscribed`; a snapshot that is later than that, or comes
   * without it, leaves open whose its locks are until the session asks again.
   */
  function snapshot(frame: CurrentSeatStatus): void {
    if (!store.snapshot(frame, awaited?.yourSeats)) return;
    const exact = awaited?.revision === frame.revision && awaited.epoch === frame.epoch;
    awaited = null;
    ownIs(exact || sessionId === undefined ? 'known' : 'unknown');
  }

  function streamStatus(live: boolean): void {
    set({ status: live && here ? 'live' : 'stale', error: null });
    ownIs(own);
  }

  function ownIs(next: Own): void {
    own = next;
    if (own !== 'unknown' || state.status !== 'live') return;
    own = 'asked';
    connection?.subscribe(channel);
  }

  function leave(): void {
    endWait();
    connection?.leave(channel);
    connection = undefined;
    linger = undefined;
    set(IDLE);
  }

  function release(): void {
    followers--;
    if (!followers) linger = setTimeout(leave, LINGER_MS);
  }

  const self: Followable = {
    load,
    setToken(newer) {
      fetchToken = newer;
      connection?.setToken(newer);
    },
    showtimeId,
    url,
    sessionId,
    follow() {
      clearTimeout(linger);
      followers++;
      if (!connection) {
        connection = open();
        if (fetchToken) connection.setToken(fetchToken);
        connection.join(channel);
      }
      let released = false;
      return () => {
        if (!released) release();
        released = true;
      };
    },
    reconnect() {
      if (refusal) askAgain();
      connection?.reconnect();
    },
    seat: store.seat,
    initialSeat: initial.seat,
    onSeat: store.onSeat,
    ownSeats: store.ownSeats,
    initialOwnSeats: initial.ownSeats,
    onOwnSeats: store.onOwnSeats,
    connection: () => state,
    onConnection: connectionListeners.add,
    position: store.position,
    onUpdate: store.onUpdate,
    apply(answer) {
      if (answer.sessionId !== sessionId) return;
      clock.hear(answer.serverTime);
      store.answer(answer);
    },
    serverNow: clock.now,
    lagMs: () => lagMs,
  };

  /** What a rendering server knew, unless as much is known here. While followed the edge says. */
  function load(snapshot: InitialSnapshot): void {
    const known = store.position();
    const further = known?.epoch === snapshot.epoch && snapshot.revision > known.revision;
    if (connection || (known && !further)) return;
    for (const one of [store, initial]) {
      one.snapshot({ timestamp: 0, ...snapshot }, snapshot.yourSeats ?? []);
    }
    ownIs('asked');
  }

  const channel: Channel = {
    showtime: self,
    ready() {
      here = false;
      awaited = null;
      if (refusal?.shown.error?.code === LIMITED) endWait();
      if (refusal?.timer) set(refusal.shown);
      return !refusal?.timer;
    },
    receive,
    turn: set,
  };
  return self;
}

interface Registry {
  /** Weak: a rendering that was thrown away leaves nothing. Connections hold what is followed. */
  readonly showtimes: Map<string, WeakRef<Followable>>;
  readonly connections: Map<string, Connection>;
}

/**
 * The page's showtimes, by the WebSocket that serves them: a page in which that is replaced, as a
 * test does, begins anew.
 */
const registries = new WeakMap<object, Registry>();

function registry(): Registry {
  const key = globalThis.WebSocket ?? globalThis;
  let found = registries.get(key);
  if (!found) {
    found = { showtimes: new Map(), connections: new Map() };
    registries.set(key, found);
  }
  return found;
}

function sharedConnection(url: string, sessionId: string | undefined, page: Registry): Connection {
  const key = JSON.stringify([url, sessionId]);
  let found = page.connections.get(key);
  if (!found) {
    found = openConnection(url, sessionId, () => page.connections.delete(key));
    page.connections.set(key, found);
  }
  return found;
}

function sharedShowtime(showtimeId: string, url: string, sessionId: string | undefined) {
  const page = registry();
  const key = JSON.stringify([url, sessionId, showtimeId]);
  const found = page.showtimes.get(key)?.deref();
  if (found) return found;
  for (const [old, ref] of page.showtimes) {
    if (!ref.deref()) page.showtimes.delete(old);
  }
  const made = followable(showtimeId, url, sessionId, () => sharedConnection(url, sessionId, page));
  page.showtimes.set(key, new WeakRef(made));
  return made;
}

function absolute(url: string): string {
  const base = globalThis.location?.href;
  return base ? new URL(url, base).href.replace(/^http/, 'ws') : url;
}

/**
 * The showtime as the session sees it. Opens nothing before `follow()`. In a page all who ask for
 * the same URL, session and showtime get the same object; where there is no `window` each gets its
 * own, so that a server shares nothing between its users. Throws TypeError where `url` is no URL.
 */
export function showtime(showtimeId: string, options: ShowtimeOptions = {}): Showtime {
  const { sessionId, token, initialSnapshot } = options;
  const url = absolute(options.url ?? '/ws/seat-updates');
  const found =
    typeof window === 'undefined'
      ? followable(showtimeId, url, sessionId, () => openConnection(url, sessionId, () => {}))
      : sharedShowtime(showtimeId, url, sessionId);
  if (token) found.setToken(token);
  if (initialSnapshot) found.load(initialSnapshot);
  return found;
}
