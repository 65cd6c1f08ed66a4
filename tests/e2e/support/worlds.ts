// Two edges that one conversation is had with: the fake server in this process, and the real
// programs with a page of a real browser. Both answer alike, or one of them is at fault.
import type { FakeSeatServer } from '@seatlock/client/testing';
import type { Page } from 'playwright-core';
import { until } from './program.js';
import type { Stack } from './stack.js';

/** What shoppers and the till do behind the edge's back. */
export interface Deeds {
  lock(showtime: string, seats: string[], session: string, ttlMs?: number): Promise<void>;
  unlock(showtime: string, seats: string[], session: string): Promise<void>;
  /** Takes `seat` and gives `release` back in one step. */
  swap(showtime: string, seat: string, release: string, session: string): Promise<void>;
  extend(showtime: string, seats: string[], session: string, ttlMs: number): Promise<void>;
  book(showtime: string, seats: string[], session: string): Promise<void>;
  cancel(showtime: string, seats: string[]): Promise<void>;
  /** The seat service goes away from the edge, and comes back with what it knew. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

/** One WebSocket of a page. */
export interface Line {
  /** Sends them at once, one after the other. */
  send(...texts: string[]): Promise<void>;
  /** The texts of all frames that came. */
  heard(): Promise<readonly string[]>;
  /** The close code once it is closed; before that null. */
  closed(): Promise<number | null>;
  /** What the edge chose of the subprotocols offered. */
  protocol(): Promise<string>;
}

export interface World {
  readonly deeds: Deeds;
  open(protocol?: string): Promise<Line>;
}

// --- the fake server ----------------------------------------------------------------------------

/** `install` it before, and undo that after. */
export function fakeWorld(server: FakeSeatServer): World {
  const call = async (method: string, session: string, fields: object) => {
    server.sessionId = session;
    const answer = await server.fetch('/api/seat-locks', { method, body: JSON.stringify(fields) });
    if (!answer.ok) throw new Error(await answer.text());
  };
  return {
    deeds: {
      lock: async (showtime, seats, session, ttlMs = 600_000) =>
        server.lock(showtime, seats, session, { ttlMs }),
      unlock: async (showtime, seats, session) => server.unlock(showtime, seats, session),
      swap: (showtimeId, seatId, release, session) =>
        call('POST', session, { showtimeId, seatId, releaseSeatIds: [release] }),
      extend: async (showtime, seats, session, ttlMs) =>
        server.extend(showtime, seats, session, { ttlMs }),
      book: async (showtime, seats, session) => server.book(showtime, seats, session),
      cancel: async (showtime, seats) => server.cancel(showtime, seats),
      goAway: async () => server.goStale(),
      comeBack: async () => server.goLive(),
    },
    async open(protocol) {
      const socket = new WebSocket('ws://fake/ws/seat-updates', protocol ?? []);
      const heard: string[] = [];
      let code: number | null = null;
      socket.onmessage = ({ data }) => heard.push(String(data));
      socket.onclose = (event) => {
        code = event.code;
      };
      await until('the socket opens or fails', () => socket.readyState !== 0);
      return {
        send: async (...texts) => {
          for (const text of texts) socket.send(text);
        },
        heard: async () => heard,
        closed: async () => code,
        protocol: async () => socket.protocol,
      };
    },
  };
}

// --- the real programs --------------------------------------------------------------------------

interface Talking {
  socket: WebSocket;
  texts: string[];
  code: number | null;
}

/** `page` is of nobody's else: its window keeps the sockets. */
export function realWorld(page: Page, { edgeUrl, seatctl, service }: Stack): World {
  let lines = 0;
  const ttl = (ms: number) => `${ms}ms`;
  return {
    deeds: {
      lock: (showtime, seats, session, ttlMs = 600_000) =>
        seatctl.lock(showtime, seats, session, ttl(ttlMs)),
      unlock: (showtime, seats, session) => seatctl.unlock(showtime, seats, session),
      swap: async (showtime, seat, release, session) => {
        await seatctl.must('lock', showtime, seat, '--release', release, '--session', session);
      },
      extend: async (showtime, seats, session, ttlMs) => {
        const time = ['--session', session, '--ttl', ttl(ttlMs)];
        await seatctl.must('extend', showtime, ...seats, ...time);
      },
      book: (showtime, seats, session) =>
        seatctl.book(showtime, seats, session, `order-${showtime}`),
      cancel: async (showtime, seats) => {
        await seatctl.must('cancel', showtime, ...seats, '--order', `order-${showtime}`);
      },
      goAway: () => service.stop(),
      comeBack: () => service.start(),
    },
    async open(protocol) {
      const name = `line${lines++}`;
      await page.evaluate(openLine, { name, url: edgeUrl, protocol });
      return {
        send: (...texts) => page.evaluate(sendTexts, { name, texts }),
        heard: () => page.evaluate(textsOf, name),
        closed: () => page.evaluate(codeOf, name),
        protocol: () => page.evaluate(protocolOf, name),
      };
    },
  };
}

// What runs in the page.

type Window = Record<string, Talking>;

function openLine(given: { name: string; url: string; protocol: string | undefined }) {
  const { name, url, protocol } = given;
  const talking: Talking = { socket: new WebSocket(url, protocol ?? []), texts: [], code: null };
  (globalThis as unknown as Window)[name] = talking;
  return new Promise<void>((resolve) => {
    talking.socket.onopen = () => resolve();
    talking.socket.onmessage = ({ data }) => talking.texts.push(String(data));
    talking.socket.onclose = ({ code }) => {
      talking.code = code;
      resolve();
    };
  });
}

function sendTexts({ name, texts }: { name: string; texts: string[] }): void {
  for (const text of texts) (globalThis as unknown as Window)[name]?.socket.send(text);
}

function textsOf(name: string): string[] {
  return (globalThis as unknown as Window)[name]?.texts ?? [];
}

function codeOf(name: string): number | null {
  return (globalThis as unknown as Window)[name]?.code ?? null;
}

function protocolOf(name: string): string {
  return (globalThis as unknown as Window)[name]?.socket.protocol ?? '';
}
