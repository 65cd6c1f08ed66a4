// A conversation as a table of steps, and what is heard at each of them. Times, epochs, ids of
// connections and the wording of errors differ from one world to the next: they are masked.
import { expect } from 'vitest';
import { isObject, type Json, type JsonObject } from './asyncapi.js';
import { frameBreaches } from './frames.js';
import { until } from './program.js';
import type { Deeds, Line, World } from './worlds.js';

/** A frame as it is expected; see `masked`. */
export type Heard = Readonly<Record<string, unknown>>;

export interface Step {
  /** Opens a connection of this name, offering this subprotocol. */
  readonly open?: string;
  readonly protocol?: string;
  /** Who sends what: a frame, or any text. `EPOCH` in it is the showtime's epoch. */
  readonly by?: string;
  readonly say?: object | string | readonly (object | string)[];
  readonly deed?: (deeds: Deeds, showtime: string) => Promise<void>;
  /** All that each connection hears of it, in order. */
  readonly hear?: Readonly<Record<string, readonly Heard[]>>;
  /** Frames of several showtimes come in any order. */
  readonly anyOrder?: boolean;
  /** The connections that end with it, with their close codes. */
  readonly close?: Readonly<Record<string, number>>;
  /** What the edge chose for the connection that was opened. */
  readonly chosen?: string;
}

export interface Script {
  readonly name: string;
  /** `SHOWTIME` in what is said and heard is the showtime's id, of this script's own. */
  readonly steps: readonly Step[];
}

/** What was heard, in the form of the table. */
type Transcript = readonly Pick<Step, 'hear' | 'close' | 'chosen'>[];

const WAIT_MS_MAX = 10_000;

/** Has the conversation; fails if it is not as the table says, or a frame not as the file. */
export async function holdTo(script: Script, world: World, showtime: string): Promise<void> {
  const talk = new Talk(world, showtime);
  const transcript: Transcript[number][] = [];
  for (const step of script.steps) transcript.push(await talk.take(step));
  expect(transcript).toEqual(expected(script));
  expect(talk.breaches).toEqual([]);
}

/** The table as a transcript has it. */
function expected({ steps }: Script): Transcript {
  return steps.map(({ hear = {}, close = {}, chosen, open, anyOrder }) => ({
    hear: anyOrder ? sorted(hear) : hear,
    close,
    ...(open !== undefined && { chosen: chosen ?? '' }),
  }));
}

class Talk {
  readonly breaches: string[] = [];
  private readonly lines = new Map<string, { line: Line; taken: number; over: boolean }>();
  private epoch = '';

  constructor(
    private readonly world: World,
    private readonly showtime: string,
  ) {}

  async take(step: Step): Promise<Transcript[number]> {
    const opened = step.open === undefined ? undefined : await this.open(step.open, step.protocol);
    if (step.say !== undefined) await this.say(String(step.by), [step.say].flat());
    await step.deed?.(this.world.deeds, this.showtime);
    const hear: Record<string, Heard[]> = {};
    const close: Record<string, number> = {};
    for (const [name, state] of this.lines) {
      if (state.over) continue;
      const ends = step.close?.[name] !== undefined;
      const frames = await this.listen(name, step.hear?.[name]?.length ?? 0, ends);
      if (frames.length > 0) hear[name] = frames;
      const code = await state.line.closed();
      if (code === null) continue;
      close[name] = code;
      state.over = true;
    }
    const chosen = await opened?.protocol();
    return {
      hear: step.anyOrder ? sorted(hear) : hear,
      close,
      ...(chosen !== undefined && { chosen }),
    };
  }

  private async open(name: string, protocol: string | undefined): Promise<Line> {
    const line = await this.world.open(protocol);
    this.lines.set(name, { line, taken: 0, over: false });
    return line;
  }

  private async say(name: string, what: readonly (object | string)[]): Promise<void> {
    const texts = what.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
    const named = (text: string) =>
      text.replaceAll('SHOWTIME', this.showtime).replaceAll('EPOCH', this.epoch);
    await this.lines.get(name)?.line.send(...texts.map(named));
  }

  /** Waits for what is expected, then asks for a pong: what comes before that counts. */
  private async listen(name: string, count: number, ends: boolean): Promise<Heard[]> {
    const state = this.lines.get(name);
    if (!state) return [];
    const { line } = state;
    const came = async () => (await line.heard()).slice(state.taken);
    const closed = async () => (await line.closed()) !== null;
    const settled = async () => (await came()).length >= count || (await closed());
    await until('what is expected comes', settled, WAIT_MS_MAX).catch(() => {});
    if (ends) await until('it is closed', closed, WAIT_MS_MAX).catch(() => {});
    let texts = [...(await came())];
    if (!(await closed())) {
      const before = texts.length;
      await line.send('{"type":"ping"}');
      const isPong = (text: string, at: number) => at >= before && /"type":"pong"/.test(text);
      await until('a pong comes', async () => (await came()).some(isPong) || (await closed()));
      texts = [...(await came())];
      state.taken += texts.length;
      texts.splice(texts.findIndex(isPong), 1);
    } else {
      state.taken += texts.length;
    }
    return texts.map((text) => this.masked(text));
  }

  /** Breaches of docs/asyncapi.yaml are kept; a frame's own values are put in place of others'. */
  private masked(text: string): Heard {
    for (const breach of frameBreaches('edge', text)) this.breaches.push(`${breach}: ${text}`);
    const frame = JSON.parse(text) as Json;
    if (!isObject(frame)) return { text };
    const { epoch } = frame;
    if (typeof epoch === 'string' && epoch !== '' && frame.showtimeId === this.showtime) {
      this.epoch = epoch;
    }
    return Object.fromEntries(
      Object.entries(frame).flatMap(([name, value]) => this.field(frame, name, value)),
    );
  }

  private field(frame: JsonObject, name: string, value: unknown): [string, unknown][] {
    if (name === 'timestamp') return typeof value === 'number' ? [] : [[name, value]];
    if (name === 'message') return typeof value === 'string' && value !== '' ? [] : [[name, value]];
    if (name === 'showtimeId') return [[name, String(value).replace(this.showtime, 'SHOWTIME')]];
    if (name === 'epoch') return [[name, value === '' ? '' : 'EPOCH']];
    if (name === 'expiresAt' || name === 'retryAfterMs') return [[name, kindOf(value)]];
    if (name === 'yourSeats' && Array.isArray(value)) {
      return [[name, value.map((seat) => ({ ...seat, expiresAt: kindOf(seat?.expiresAt) }))]];
    }
    if (name === 'sessionId' && frame.type === 'connection_established') {
      return [[name, kindOf(value)]];
    }
    return [[name, value]];
  }
}

const kindOf = (value: unknown): string => `a ${typeof value}`;

function sorted(hear: Readonly<Record<string, readonly Heard[]>>): Record<string, Heard[]> {
  const key = (frame: Heard) => JSON.stringify(frame, Object.keys(frame).sort());
  const bySort = (a: Heard, b: Heard) => (key(a) < key(b) ? -1 : 1);
  return Object.fromEntries(Object.entries(hear).map(([n, all]) => [n, [...all].sort(bySort)]));
}
