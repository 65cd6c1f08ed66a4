// docs/asyncapi.yaml is a valid AsyncAPI 3.0.0 file that agrees with itself and with the edge: a
// conversation over the real edge uses every message of it and breaks none.
import { readFileSync } from 'node:fs';
import asyncapi from '@asyncapi/specs';
import { Ajv, type AnySchemaObject } from 'ajv';
import addFormats from 'ajv-formats';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  asObject,
  type Json,
  messageRules,
  readContract,
  referencesIn,
  resolveReference,
} from './support/asyncapi.js';
import { launchBrowser, newRecorder, type Recorder } from './support/browser.js';
import { FrameLog, frameBreaches } from './support/frames.js';
import { repositoryPath } from './support/paths.js';
import { until } from './support/program.js';
import { Stack } from './support/stack.js';

const contract = readContract();
const messages = asObject(asObject(contract.components).messages);

describe('the file', () => {
  function validator() {
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats.default(ajv);
    return ajv.compile(asyncapi.schemasWithoutId['3.0.0'] as AnySchemaObject);
  }

  test('is valid AsyncAPI 3.0.0', () => {
    const validate = validator();
    validate(contract);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('control: a file with a wrong action is not', () => {
    const broken = structuredClone(contract);
    asObject(asObject(broken.operations).onPing).action = 'reply';
    expect(validator()(broken)).toBe(false);
  });

  test('has something behind each of its references', () => {
    const references = referencesIn(contract);
    expect(references.length).toBeGreaterThan(50);
    const dangling = references.filter((r) => resolveReference(contract, r) === undefined);
    expect(dangling).toEqual([]);
  });

  test('lists each message in its channel, and uses each in an operation', () => {
    const channel = asObject(asObject(asObject(contract.channels).seatUpdates).messages);
    expect(Object.keys(channel)).toEqual(Object.keys(messages));
    expect([...messageRules(contract).keys()]).toEqual(Object.keys(messages));
  });

  test('has examples that keep its own rules', () => {
    for (const [name, rule] of messageRules(contract)) {
      const examples = asObject(messages[name]).examples as Json[];
      expect(examples.length, name).toBeGreaterThan(0);
      for (const example of examples) {
        const text = JSON.stringify(asObject(example).payload);
        expect(frameBreaches(rule.sender, text), text).toEqual([]);
      }
    }
  });

  test('knows the close codes that the edge knows', () => {
    const header = readFileSync(repositoryPath('edge/protocol/close_code.h'), 'utf8');
    const ofEdge = [...header.matchAll(/ = (\d{4}),/g)].map((match) => match[1]);
    const listed = asObject(asObject(contract.channels).seatUpdates)['x-close-codes'];
    expect(Object.keys(asObject(listed))).toEqual(ofEdge);
  });
});

describe('control: an altered frame is refused', () => {
  const change = {
    type: 'seat_status_change',
    showtimeId: '123',
    seatId: 'A06',
    status: 'locked',
    timestamp: 1,
    revision: 2,
    cause: 'lock',
  };
  test.each([
    ['as it is', {}, true],
    ['a field that the file does not name', { holder: 'alice' }, false],
    ['a status that does not exist', { status: 'sold' }, false],
    ['a time as text', { timestamp: '1' }, false],
    ['a revision of 0', { revision: 0 }, false],
    ['no seat', { seatId: undefined }, false],
    ['an expiry without a holder', { expiresAt: 5 }, false],
    ['revision 1 without an epoch', { revision: 1 }, false],
    ['a type that does not exist', { type: 'seat_change' }, false],
  ])('%s', (_name, fields, good) => {
    const breaches = frameBreaches('edge', JSON.stringify({ ...change, ...fields }));
    expect(breaches.length === 0).toBe(good);
  });

  test('from the wrong side', () => {
    expect(frameBreaches('client', JSON.stringify(change))).not.toEqual([]);
    expect(frameBreaches('edge', '{"type":"ping"}')).not.toEqual([]);
  });

  test('a change that was missed, repeated, or tells of another session', () => {
    const replay = (...frames: object[]) => {
      const log = new FrameLog('ws://test');
      log.add('edge', '{"type":"connection_established","sessionId":"c","timestamp":1}');
      log.add('client', '{"type":"subscribe","showtimeId":"123","sessionId":"alice"}');
      const subscribed = { type: 'subscribed', recovered: false, yourSeats: [] };
      const at = { showtimeId: '123', epoch: 'e', revision: 1, timestamp: 1 };
      log.add('edge', JSON.stringify({ ...subscribed, ...at }));
      for (const frame of frames) log.add('edge', JSON.stringify(frame));
      return log.breaches;
    };
    expect(replay(change, { ...change, revision: 3 })).toEqual([]);
    expect(replay({ ...change, revision: 3 })).toHaveLength(1);
    expect(replay(change, change)).toHaveLength(1);
    expect(replay({ ...change, more: true }, change)).toEqual([]);
    expect(replay({ ...change, sessionId: 'alice' })).toEqual([]);
    expect(replay({ ...change, sessionId: 'bob' })).toHaveLength(1);
  });
});

describe('the edge', () => {
  let stack: Stack;
  let browser: Browser;
  let plain: Recorder;
  let batch: Recorder;

  beforeAll(async () => {
    stack = await Stack.start();
    browser = await launchBrowser();
    plain = await newRecorder(browser);
    batch = await newRecorder(browser, {}, true);
    // The pages below talk like no client should.
    plain.allow(/WebSocket/);
  });

  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });

  /** A page of `recorder` with one connection, which the returned function sends through. */
  async function connect(recorder: Recorder, protocol?: string) {
    const page = await recorder.context.newPage();
    const before = recorder.sockets.length;
    await page.evaluate(openSocket, { url: stack.edgeUrl, protocol });
    await until('the connection is there', () => recorder.sockets.length > before);
    const log = recorder.sockets[before];
    if (!log) throw new Error('no connection was recorded');
    await until('the edge says hello', () => log.received('connection_established').length === 1);
    const send = (message: object | string) =>
      page.evaluate(sendText, typeof message === 'string' ? message : JSON.stringify(message));
    const received = (type: string, count = 1) =>
      until(`${count} × ${type}`, () => log.received(type).length >= count, 20_000);
    return { page, log, send, received };
  }

  test('keeps the file in a conversation with every message of it', async () => {
    const { seatctl } = stack;
    const alice = await connect(plain);
    const waiting = { showtimeId: '123', sessionId: 'alice', userId: 'u', heartbeat: true };
    await alice.send({ type: 'subscribe', ...waiting });
    await alice.received('current_seat_status');
    const together = await connect(batch, 'seatlock.v1.batch');
    await together.send({ type: 'subscribe', showtimeId: '123', sessionId: 'alice' });
    await together.received('current_seat_status');

    await everyCause(seatctl);
    await alice.received('seat_status_change', 8);
    await together.received('seat_changes');

    await alice.send({ type: 'ping' });
    await alice.received('pong');
    await alice.send({ type: 'subscribe', showtimeId: '124' });
    await alice.received('subscribed', 2);
    await alice.send({ type: 'unsubscribe', showtimeId: '124' });
    await alice.send({ type: 'wave' }).then(() => alice.received('error'));
    await alice.send({ type: 'subscribe', showtimeId: '' });
    await alice.send('not JSON');
    await alice.received('error', 3);
    await alice.received('heartbeat');

    const last = alice.log.received('seat_status_change').at(-1);
    const epoch = alice.log.received('seat_status_change')[0]?.epoch;
    const again = await connect(plain);
    const resume = { epoch, revision: Number(last?.revision) - 1 };
    await again.send({ type: 'subscribe', showtimeId: '123', sessionId: 'alice', resume });
    await again.received('seat_status_change');
    expect(again.log.received('subscribed')[0]?.recovered).toBe(true);

    await stack.service.stop();
    await again.received('stream_status');
    await stack.service.start();
    await again.received('stream_status', 2);
    await again.send({ type: 'unsubscribe' });
    await again.received('unsubscribed');
    expect(again.log.received('stream_status').map((f) => f.live)).toEqual([false, true]);
  });

  test('sends three bad messages away, and names limits, by the file', async () => {
    const page = await connect(plain);
    for (let n = 0; n < 65; n += 1) await page.send({ type: 'subscribe', showtimeId: `room-${n}` });
    await page.received('error');
    expect(page.log.received('error')[0]?.code).toBe('TOO_MANY_SUBSCRIPTIONS');
    for (let n = 0; n < 3; n += 1) await page.send('[]');
    expect(await page.page.evaluate(closeCode)).toBe(4000);

    const hasty = await connect(plain);
    await hasty.page.evaluate(sendMany, { text: '{"type":"ping"}', count: 200 });
    await hasty.received('error');
    expect(hasty.log.received('error')[0]?.code).toBe('RATE_LIMITED');
    expect(await hasty.page.evaluate(closeCode)).toBe(4129);
  });

  test('was seen to use every message of the file, and broke none', () => {
    // What was wrong on purpose is refused by the file as well.
    const wrong = [/"wave"/, /"showtimeId":""/, /: (not JSON|\[\])$/];
    const expected = (breach: string) => wrong.some((w) => w.test(breach));
    const logs = [...plain.sockets, ...batch.sockets];
    const breaches = [...plain.breaches(), ...batch.breaches()];
    expect(breaches.filter((b) => !expected(b))).toEqual([]);
    expect(breaches.filter(expected).length).toBeGreaterThan(4);
    const seen = new Set(logs.flatMap((log) => log.frames.map((f) => String(f.frame.type))));
    expect(Object.keys(messages).filter((name) => !seen.has(name))).toEqual([]);
  });
});

// Every cause that a change can have.
async function everyCause(seatctl: Stack['seatctl']): Promise<void> {
  await seatctl.lock('123', ['A06', 'A07'], 'alice', '1m');
  await seatctl.must('extend', '123', '--all', '--session', 'alice', '--ttl', '5m');
  await seatctl.must('lock', '123', 'A08', '--release', 'A07', '--session', 'alice');
  await seatctl.unlock('123', ['A08'], 'alice');
  await seatctl.book('123', ['A06'], 'alice', 'o-1');
  await seatctl.must('cancel', '123', 'A06', '--order', 'o-1');
  await seatctl.lock('123', ['A09'], 'alice', '1s');
}

// --- what runs in the page ----------------------------------------------------------------------

interface Talking {
  socket: WebSocket;
  closed: Promise<number>;
}

function openSocket({ url, protocol }: { url: string; protocol: string | undefined }): void {
  const socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url);
  const closed = new Promise<number>((resolve) => {
    socket.onclose = (event) => resolve(event.code);
  });
  (globalThis as unknown as { talking: Talking }).talking = { socket, closed };
}

function sendText(text: string): void {
  (globalThis as unknown as { talking: Talking }).talking.socket.send(text);
}

function sendMany({ text, count }: { text: string; count: number }): void {
  const { socket } = (globalThis as unknown as { talking: Talking }).talking;
  for (let n = 0; n < count; n += 1) socket.send(text);
}

function closeCode(): Promise<number> {
  return (globalThis as unknown as { talking: Talking }).talking.closed;
}
