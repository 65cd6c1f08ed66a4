// As much of a page as the browser core looks at: a window with a location, a network that comes
// and goes, a tab that is looked at or not. And the fake server, with fake timers.

import { setMaxListeners } from 'node:events';
import { vi } from 'vitest';
import { FakeSeatServer, type FakeSeatServerOptions } from '../../testing/index.js';
import { type Showtime, type ShowtimeOptions, showtime } from '../index.js';

/** A server's clock that goes right, whatever is done to this device's. */
export const rightClock = () => 1_800_000_000_000 + performance.now();

export interface Page {
  readonly server: FakeSeatServer;
  /** Sockets that were tried so far. */
  attempts(): number;
  network(online: boolean): void;
  look(hidden: boolean): void;
  /** An event of the window, such as `focus`. */
  happens(name: string): void;
  /**
   * This device's clock is set so much later, and the monotonic one stays. A page whose device
   * slept sees the same where the monotonic clock sleeps too.
   */
  setClock(byMs: number): void;
  /** How many listeners the window has. */
  windowListeners(): number;
  leave(): void;
}

/** The first pause after a socket that worked, or none yet, while random is 0.5. */
export const PAUSE_MS = 550;

/** Random is 0.5 until a test says otherwise, so that pauses are known. */
export function openPage(options: FakeSeatServerOptions = {}): Page {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const server = new FakeSeatServer({ sessionId: 'me', ...options });
  const undo = server.install();
  const attempts = countSockets();
  const events = new EventTarget();
  setMaxListeners(0, events);
  const names: string[] = [];
  const navigator = { onLine: true };
  const document = { hidden: false };
  vi.stubGlobal('window', globalThis);
  vi.stubGlobal('location', { href: 'https://cinema.test/showtimes/123' });
  vi.stubGlobal('navigator', navigator);
  vi.stubGlobal('document', document);
  vi.stubGlobal('addEventListener', (name: string, listener: EventListener) => {
    names.push(name);
    events.addEventListener(name, listener);
  });
  vi.stubGlobal('removeEventListener', (name: string, listener: EventListener) => {
    names.splice(names.indexOf(name), 1);
    events.removeEventListener(name, listener);
  });
  return {
    server,
    attempts,
    windowListeners: () => names.length,
    network(online) {
      navigator.onLine = online;
      events.dispatchEvent(new Event(online ? 'online' : 'offline'));
    },
    look(hidden) {
      document.hidden = hidden;
      events.dispatchEvent(new Event('visibilitychange'));
    },
    happens: (name) => events.dispatchEvent(new Event(name)),
    setClock: (byMs) => vi.setSystemTime(Date.now() + byMs),
    leave() {
      vi.unstubAllGlobals();
      undo();
      vi.restoreAllMocks();
      vi.useRealTimers();
    },
  };
}

function countSockets(): () => number {
  let count = 0;
  globalThis.WebSocket = new Proxy(globalThis.WebSocket, {
    construct(target, args: [string]) {
      count++;
      return new target(...args);
    },
  });
  return () => count;
}

/** Lets everything arrive that is on its way. */
export async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** Follows as the session `me` and lets the answer arrive. */
export async function followed(showtimeId = '123', options: ShowtimeOptions = {}) {
  const shown: Showtime = showtime(showtimeId, { sessionId: 'me', ...options });
  const release = shown.follow();
  await settle();
  return { shown, release };
}

/** The socket stays, and nothing comes any more. */
export function muteServer(): void {
  const fakeSocket: WebSocket & { deliver(): void } = Object.getPrototypeOf(
    globalThis.WebSocket.prototype,
  );
  vi.spyOn(fakeSocket, 'deliver').mockReturnValue();
}
