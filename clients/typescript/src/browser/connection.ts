// One socket for all showtimes that a session follows at one URL: a machine of named phases, with
// one timer, whose meaning is the phase's. What a showtime itself knows is its channel's business.

import { backoffMs, FLOOR_MS } from './backoff.js';
import { comeBack } from './close_codes.js';
import { readFrame } from './frames.js';
import type { ClientFrame, ServerFrame } from './protocol.js';
import type { ConnectionState, Showtime } from './types.js';

/** How the socket is, for a showtime that is not subscribed (any more). */
export type SocketState = Pick<ConnectionState, 'status' | 'error' | 'retryAt'>;

/** What a followed showtime is to its connection. */
export interface Channel {
  /** Says where to resume. Held here, so that what is followed stays in the page's registry. */
  readonly showtime: Showtime;
  /** A frame of this showtime, or one that concerns the whole connection. */
  receive(frame: ServerFrame): void;
  /** The socket is lost, on its way or given up. */
  turn(state: SocketState): void;
}

export interface Connection {
  /** The first one to join opens the socket; the last one to leave closes it. */
  join(channel: Channel): void;
  leave(channel: Channel): void;
  /** Subscribes afresh where the socket is open. */
  subscribe(channel: Channel): void;
  /** Tries at once where the phase is `waiting` or `closed`. */
  reconnect(): void;
}

/**
 * - `idle`: no channels, no socket; no timer
 * - `opening`: the timer ends the attempt
 * - `open`: the timer is the watchdog, wound up by all that is received
 * - `waiting`: the timer begins the next attempt; offline there is none
 * - `closed`: the edge said not to come back; no timer
 */
type Phase = 'idle' | 'opening' | 'open' | 'waiting' | 'closed';

const OPEN_MS_MAX = 10_000;
/** Two heartbeats of 15 s and 5 s more. */
const SILENT_MS_MAX = 35_000;
/** For the answer to a ping after the network or the page came back. */
const PROBE_MS_MAX = 5_000;
/** Live for this long, an attempt counts as having worked, and the next backoff begins anew. */
const WORKED_MS = 10_000;
/** Times to come back at once between two that worked: an edge may send away whom it just took. */
const AT_ONCE_MAX = 3;
/** `after a pause` is never shorter. */
const PAUSE_MS_MIN = 500;

const CONNECTING: SocketState = { status: 'connecting', error: null, retryAt: null };
const WAKERS = ['online', 'offline', 'visibilitychange'] as const;

/** `onIdle` is called when the last channel has left. */
export function openConnection(
  url: string,
  sessionId: string | undefined,
  onIdle: () => void,
): Connection {
  const channels = new Map<string, Channel>();
  let phase: Phase = 'idle';
  /** What a newcomer is told. */
  let state = CONNECTING;
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  /** When the first showtime became live on this socket; 0: none has. */
  let liveSince = 0;
  /** Came back at once and was not live since: a second time waits, or two edges play ball. */
  let hurried = false;
  /** Times it came back at once since an attempt worked. */
  let hurries = 0;

  function tell(next: SocketState): void {
    state = next;
    // A listener may turn it further: the rest then hear of that, not of what is past.
    for (const channel of [...channels.values()]) channel.turn(state);
  }

  function wind(ms: number, then: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(then, ms);
  }

  const watch = (ms = SILENT_MS_MAX) => wind(ms, () => lose(0, 'SILENT', `silent for ${ms} ms`));

  function send(frame: ClientFrame): void {
    if (phase === 'open') socket?.send(JSON.stringify(frame));
  }

  function subscribe({ showtime }: Channel): void {
    const resume = showtime.position();
    send({
      type: 'subscribe',
      showtimeId: showtime.showtimeId,
      heartbeat: true,
      ...(sessionId !== undefined && { sessionId }),
      ...(resume && { resume }),
    });
  }

  /** Forgets the socket first, so that its late events find no one. */
  function drop(next: Phase): void {
    phase = next;
    clearTimeout(timer);
    const old = socket;
    socket = undefined;
    old?.close();
  }

  function open(): void {
    drop('opening');
    tell(state.error ? { ...state, status: 'reconnecting', retryAt: null } : CONNECTING);
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
      watch();
      for (const channel of channels.values()) subscribe(channel);
    };
    current.onmessage = ({ data }) => {
      if (current !== socket) return;
      watch();
      receive(readFrame(data));
    };
    current.onclose = ({ code, reason }) => {
      if (current === socket) lose(code, 'CLOSED', reason);
    };
  }

  function receive(frame: ServerFrame | null): void {
    if (!frame) return;
    if (frame.type === 'subscribed') {
      liveSince ||= Date.now();
      hurried = false;
    }
    if (frame.showtimeId !== undefined) channels.get(frame.showtimeId)?.receive(frame);
    else for (const channel of [...channels.values()]) channel.receive(frame);
  }

  function lose(closeCode: number, code: string, message: string): void {
    const back = comeBack(closeCode);
    const error = { closeCode, code, message };
    drop(back === 'never' ? 'closed' : 'waiting');
    if (liveSince && Date.now() - liveSince >= WORKED_MS) attempt = hurries = 0;
    liveSince = 0;
    if (back === 'never') {
      tell({ status: 'closed', error, retryAt: null });
      return;
    }
    let ms = 0;
    if (back !== 'at once' || hurried || hurries++ >= AT_ONCE_MAX) {
      ms = backoffMs(attempt++, back === 'after a pause' ? PAUSE_MS_MIN : FLOOR_MS);
    }
    hurried ||= back === 'at once';
    if (isOffline()) {
      waitForNetwork();
      return;
    }
    wind(ms, open);
    tell({ status: 'reconnecting', error, retryAt: Date.now() + ms });
  }

  function waitForNetwork(): void {
    clearTimeout(timer);
    const error = { closeCode: 0, code: 'OFFLINE', message: 'no network' };
    tell({ status: 'reconnecting', error, retryAt: null });
  }

  /** The network came or went, or the page is looked at again. */
  function wake({ type }: Event): void {
    if (type === 'visibilitychange' && document.hidden) return;
    if (phase === 'open') {
      // A socket to this very machine works without a network, so it is asked, not dropped.
      send({ type: 'ping' });
      watch(PROBE_MS_MAX);
    } else if (phase === 'waiting') {
      if (isOffline()) waitForNetwork();
      else open();
    }
  }

  return {
    join(channel) {
      channels.set(channel.showtime.showtimeId, channel);
      if (phase === 'idle') {
        for (const name of WAKERS) globalThis.addEventListener?.(name, wake);
        open();
      } else {
        channel.turn(state);
        subscribe(channel);
      }
    },
    leave({ showtime: { showtimeId } }) {
      channels.delete(showtimeId);
      send({ type: 'unsubscribe', showtimeId });
      const refused = [...channels.values()].find(isOneTooMany);
      if (refused) subscribe(refused);
      if (channels.size) return;
      drop('idle');
      for (const name of WAKERS) globalThis.removeEventListener?.(name, wake);
      onIdle();
    },
    subscribe,
    reconnect() {
      if (phase === 'waiting' || phase === 'closed') open();
    },
  };
}

/** The edge follows so many for a connection; where one leaves there is room again. */
function isOneTooMany({ showtime }: Channel): boolean {
  return showtime.connection().error?.code === 'TOO_MANY_SUBSCRIPTIONS';
}

function isOffline(): boolean {
  return globalThis.navigator?.onLine === false;
}
