// One socket for all showtimes that a session follows at one URL: a machine of named phases, with
// one timer, whose meaning is the phase's. What a showtime itself knows is its channel's business.

import { between, comeBacks } from './backoff.js';
import { comeBack, TOKEN_EXPIRED, TOKEN_REJECTED } from './close_codes.js';
import { readFrame } from './frames.js';
import type { ClientFrame, ServerFrame } from './protocol.js';
import { type Tokens, tokenKeeper } from './tokens.js';
import type { ConnectionError, ConnectionState, Showtime, TokenFunction } from './types.js';

/** How the socket is, for a showtime that is not subscribed (any more). */
export type SocketState = Pick<ConnectionState, 'status' | 'error' | 'retryAt'>;

/** What a followed showtime is to its connection. */
export interface Channel {
  /** Says where to resume. Held here, so that what is followed stays in the page's registry. */
  readonly showtime: Showtime;
  /** The socket is open. False: do not subscribe yet, the edge asked for a wait. */
  ready(): boolean;
  /** A frame of this showtime, or one that concerns the whole connection. */
  receive(frame: ServerFrame): void;
  /** The socket is lost, on its way or given up. */
  turn(state: SocketState): void;
}

export interface Connection {
  /** The first one to join opens the socket; the last one to leave closes it. */
  join(channel: Channel): void;
  leave(channel: Channel): void;
  /** Subscribes afresh where the socket is open: at once, or in turn if others do so too. */
  subscribe(channel: Channel): void;
  /** From now on subscribes carry a token, which this function fetches. */
  setToken(fetchToken: TokenFunction): void;
  /** Tries at once in `token`, `waiting` and `closed`, whatever pause was asked for. */
  reconnect(): void;
  /** Asks an open socket whether it works. Mends `retryAt` if this machine's clock was set. */
  probe(): void;
}

/**
 * | phase     | socket    | its timer                       | a wake              | reconnect() |
 * |-----------|-----------|---------------------------------|---------------------|-------------|
 * | `idle`    | none      | none                            |                     |             |
 * | `token`   | none      | none; tokens.ts has its own     | may shorten it      | asks at once|
 * | `opening` | under way | 10 s, then `waiting`            |                     |             |
 * | `open`    | open      | 30 s without a frame: a ping    | a ping, once a      |             |
 * |           |           | and `asked`                     | second: `asked`     |             |
 * | `asked`   | open      | 5 s without a frame: `waiting`  |                     |             |
 * | `waiting` | none      | the pause, then `opening`       | may shorten it      | `opening`   |
 * | `closed`  | none      | none                            |                     | `opening`   |
 *
 * A frame makes `asked` `open` again. Heartbeats come only once something was subscribed to: a page
 * that waits out a refusal on a new socket lives by its pings. After a lost socket it is `waiting`,
 * or `closed` if the edge said not to come back. `idle` means that no showtime is followed. Where
 * tokens are used, an attempt begins in `token` unless there is a good one. A token that the edge
 * rejects is replaced once; if the next is rejected too, it is `closed`.
 *
 * A wake is `online`, `offline`, `pageshow`, `focus`, or `visibilitychange` to visible. What it may
 * skip of a pause:
 * - never the floor: 100 ms, or 500 ms after the close codes 4100–4199
 * - `online`: the rest, but for up to half a second of jitter, as others of the network wake too
 * - `focus`, `pageshow`, `visibilitychange`: the rest, once a second; who switches tabs on and on
 *   does not make the page hammer
 * - `offline`: nothing. There are attempts offline too, for an edge on this very machine.
 */
type Phase = 'idle' | 'token' | 'opening' | 'open' | 'asked' | 'waiting' | 'closed';

const OPEN_MS_MAX = 10_000;
/** Two heartbeats of 15 s. */
const QUIET_MS_MAX = 30_000;
/** For the answer to a ping. */
const PROBE_MS_MAX = 5_000;
/** Between two pings, and between two attempts that wakes but `online` brought forward. */
const WAKE_MS_MIN = 1_000;
const ONLINE_SPREAD_MS = 500;
/** Between two subscribes of an open socket: a quarter of the messages that the edge allows. */
const TURN_MS = 200;
/** After the edge dropped messages, as there were too many. */
const DROPPED_MS_MIN = 2_000;
const DROPPED_MS_MAX = 5_000;
/** Of the next attempt, told again only if it moved by more. */
const TOLD_MS = 1_000;

const CONNECTING: SocketState = { status: 'connecting', error: null, retryAt: null };
const OFFLINE: ConnectionError = { closeCode: 0, code: 'OFFLINE', message: 'no network' };
const WAKERS = ['online', 'offline', 'visibilitychange', 'pageshow', 'focus'] as const;

/** `onIdle` is called when the last channel has left. */
export function openConnection(
  url: string,
  sessionId: string | undefined,
  onIdle: () => void,
): Connection {
  const channels = new Map<string, Channel>();
  /** The edge follows so many showtimes for a socket; these were too many, oldest first. */
  const refused = new Set<Channel>();
  /** Subscribed to on this socket, and not answered yet. */
  const unanswered = new Set<Channel>();
  /** Subscribed to on this socket, and not refused. */
  const subscribed = new Set<Channel>();
  /** To be subscribed to, one each `TURN_MS`. */
  const queue = new Set<Channel>();
  let turn: ReturnType<typeof setTimeout> | undefined;
  const backs = comeBacks();
  let phase: Phase = 'idle';
  /** What a newcomer is told. */
  let state = CONNECTING;
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tokens: Tokens | undefined;
  /** The edge rejected a token, and took none since. */
  let rejected = false;
  // Of `waiting`: why, and, on the monotonic clock, when the next attempt is and how early a wake
  // may make it.
  let cause: ConnectionError | null = null;
  let dueAt = 0;
  let earliest = 0;
  /** When a ping was last sent, or when the attempt is that a wake last brought forward. */
  let wokenAt = -WAKE_MS_MIN;

  function tell(next: SocketState): void {
    state = next;
    // A listener may turn it further: the rest then hear of that, not of what is past.
    for (const channel of [...channels.values()]) channel.turn(state);
  }

  function wind(ms: number, then: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(then, ms);
  }

  const watch = () => wind(QUIET_MS_MAX, ask);
  const isOpen = () => phase === 'open' || phase === 'asked';

  function send(frame: ClientFrame): void {
    if (isOpen()) socket?.send(JSON.stringify(frame));
  }

  function subscribe(channel: Channel): void {
    refused.delete(channel);
    queue.delete(channel);
    unanswered.add(channel);
    subscribed.add(channel);
    sendSubscribe(channel);
  }

  function sendSubscribe({ showtime }: Channel): void {
    const resume = showtime.position();
    const token = tokens?.current();
    send({
      type: 'subscribe',
      showtimeId: showtime.showtimeId,
      heartbeat: true,
      ...(sessionId !== undefined && { sessionId }),
      ...(token !== undefined && { token }),
      ...(resume && { resume }),
    });
  }

  /** The edge takes a later token for what it follows already, and answers nothing. */
  function tokenFetched(): void {
    if (phase === 'token') openSocket();
    if (!isOpen()) return;
    for (const channel of [...channels.values()]) {
      if (subscribed.has(channel)) sendSubscribe(channel);
      else if (!refused.has(channel) && channel.ready()) subscribeInTurn(channel);
    }
  }

  function tokenAsked(): void {
    if (phase === 'token' && state.retryAt !== null) tell({ ...state, retryAt: null });
  }

  function tokenFailed(message: string, retryAt: number): void {
    if (phase !== 'token') return;
    cause = { closeCode: 0, code: 'TOKEN', message };
    tell({ status: 'reconnecting', error: isOffline() ? OFFLINE : cause, retryAt });
  }

  function takeTurns(ms: number): void {
    clearTimeout(turn);
    turn = setTimeout(nextTurn, ms);
  }

  function nextTurn(): void {
    turn = undefined;
    const [channel] = queue;
    if (!channel) return;
    subscribe(channel);
    takeTurns(TURN_MS);
  }

  function subscribeInTurn(channel: Channel): void {
    if (!isOpen()) return;
    queue.add(channel);
    if (turn === undefined) nextTurn();
  }

  /** Forgets the socket first, so that its late events find no one. */
  function drop(next: Phase): void {
    phase = next;
    clearTimeout(timer);
    clearTimeout(turn);
    turn = undefined;
    for (const all of [refused, unanswered, subscribed, queue]) all.clear();
    tokens?.rest();
    const old = socket;
    socket = undefined;
    old?.close();
  }

  function open(): void {
    drop('token');
    tell(state.error ? { ...state, status: 'reconnecting', retryAt: null } : CONNECTING);
    if (!tokens || tokens.ready()) openSocket();
    else tokens.want();
  }

  function openSocket(): void {
    phase = 'opening';
    wind(OPEN_MS_MAX, () => lose(0, 'TIMEOUT', `not open within ${OPEN_MS_MAX} ms`));
    try {
      listen(new WebSocket(url));
    } catch (error) {
      lose(0, 'CLOSED', String(error));
    }
  }

  function listen(current: WebSocket): void {
    socket = current;
    current.onopen = () => {
      if (current !== socket) return;
      phase = 'open';
      state = CONNECTING;
      backs.opened();
      watch();
      for (const channel of [...channels.values()]) if (channel.ready()) subscribe(channel);
    };
    current.onmessage = ({ data }) => {
      if (current !== socket) return;
      phase = 'open';
      watch();
      receive(readFrame(data));
    };
    current.onclose = ({ code, reason }) => {
      if (current === socket) lose(code, 'CLOSED', reason);
    };
  }

  function receive(frame: ServerFrame | null): void {
    if (!frame) return;
    const { showtimeId } = frame;
    const failed = frame.type === 'error' && frame.code;
    if (frame.type === 'connection_established') tokens?.keepFresh(frame.timestamp);
    if (frame.type === 'subscribed') {
      backs.live();
      rejected = false;
    }
    if (showtimeId === undefined) {
      if (failed === 'RATE_LIMITED') repeat();
      for (const channel of [...channels.values()]) channel.receive(frame);
      return;
    }
    const channel = channels.get(showtimeId);
    if (!channel) return;
    if (unanswered.delete(channel)) queue.delete(channel);
    if (frame.type === 'subscribed') refused.delete(channel);
    if (failed) subscribed.delete(channel);
    if (failed === 'TOO_MANY_SUBSCRIPTIONS') refused.add(channel);
    else if (failed) {
      // Its place is free.
      const [next] = refused;
      if (next && refused.delete(next)) subscribeInTurn(next);
    }
    channel.receive(frame);
  }

  /** The edge dropped what it had no time for: perhaps a subscribe, which no answer comes to. */
  function repeat(): void {
    if (!unanswered.size) return;
    for (const channel of unanswered) queue.add(channel);
    takeTurns(between(DROPPED_MS_MIN, DROPPED_MS_MAX));
  }

  function lose(closeCode: number, code: string, message: string): void {
    let back = comeBack(closeCode);
    cause = { closeCode, code, message };
    if (tokens && closeCode === TOKEN_EXPIRED) tokens.discard();
    if (tokens && closeCode === TOKEN_REJECTED) {
      tokens.discard();
      if (rejected) cause = { ...cause, code: 'TOKEN_REJECTED' };
      else back = 'as usual';
      rejected = !rejected;
    }
    const { ms, leastMs } = backs.lost(back);
    drop(back === 'never' ? 'closed' : 'waiting');
    if (back === 'never') {
      tell({ status: 'closed', error: cause, retryAt: null });
      return;
    }
    earliest = performance.now() + leastMs;
    wait(ms);
  }

  function wait(ms: number): void {
    dueAt = performance.now() + ms;
    wind(ms, open);
    tellWait();
  }

  function tellWait(): void {
    const error = isOffline() ? OFFLINE : cause;
    const retryAt = Math.round(Date.now() + dueAt - performance.now());
    if (error === state.error && Math.abs(retryAt - (state.retryAt ?? 0)) <= TOLD_MS) return;
    tell({ status: 'reconnecting', error, retryAt });
  }

  /** A socket to this very machine works without a network, so it is asked, not dropped. */
  function ask(): void {
    wokenAt = performance.now();
    send({ type: 'ping' });
    phase = 'asked';
    wind(PROBE_MS_MAX, () => lose(0, 'SILENT', 'no answer to a ping'));
  }

  function probe(): void {
    if (phase === 'waiting') tellWait();
    if (phase !== 'open') return;
    const ms = wokenAt + WAKE_MS_MIN - performance.now();
    if (ms > 0) wind(ms, ask);
    else ask();
  }

  /** The network came or went, or the page is looked at again. */
  function wake({ type }: Event): void {
    if (type === 'visibilitychange' && document.hidden) return;
    probe();
    if (phase === 'token' && type !== 'offline' && wokenAt + WAKE_MS_MIN <= performance.now()) {
      wokenAt = performance.now();
      tokens?.hurry(ONLINE_SPREAD_MS);
    }
    if (phase !== 'waiting' || type === 'offline') return;
    const now = performance.now();
    let at = Math.max(now, earliest);
    if (type === 'online') at += between(0, ONLINE_SPREAD_MS);
    else at = Math.max(at, wokenAt + WAKE_MS_MIN);
    if (at >= dueAt) return;
    if (type !== 'online') wokenAt = at;
    wait(at - now);
  }

  return {
    join(channel) {
      channels.set(channel.showtime.showtimeId, channel);
      if (phase === 'idle') {
        for (const name of WAKERS) globalThis.addEventListener?.(name, wake);
        open();
      } else {
        channel.turn(state);
        if (isOpen() && channel.ready()) subscribe(channel);
      }
    },
    leave(channel) {
      const { showtimeId } = channel.showtime;
      channels.delete(showtimeId);
      for (const all of [unanswered, subscribed, queue]) all.delete(channel);
      send({ type: 'unsubscribe', showtimeId });
      // Where one leaves there is room again, unless it was one too many itself.
      const [next] = refused.delete(channel) ? [] : refused;
      if (next) subscribe(next);
      if (channels.size) return;
      drop('idle');
      for (const name of WAKERS) globalThis.removeEventListener?.(name, wake);
      onIdle();
    },
    subscribe: subscribeInTurn,
    setToken(fetchToken) {
      if (tokens) {
        tokens.use(fetchToken);
        return;
      }
      tokens = tokenKeeper(fetchToken, {
        asked: tokenAsked,
        fetched: tokenFetched,
        failed: tokenFailed,
      });
      if (phase === 'opening' || isOpen()) tokens.want();
    },
    reconnect() {
      if (phase === 'waiting' || phase === 'closed') open();
      if (phase === 'token') tokens?.hurry(0);
    },
    probe,
  };
}

function isOffline(): boolean {
  return globalThis.navigator?.onLine === false;
}
