// Starts our programs on free ports of this machine, and ends what it started.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { program } from './paths.mjs';

const READY_MS_MAX = 20_000;
const LOG_CHARACTERS_MAX = 20_000;

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/**
 * Asks until the answer is not undefined, at most `deadlineMs`.
 * @template T
 * @param {string} what in words, for the error
 * @param {() => T | undefined | Promise<T | undefined>} ask
 * @param {number} [deadlineMs]
 * @returns {Promise<T>}
 */
export async function until(what, ask, deadlineMs = READY_MS_MAX) {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`after ${deadlineMs} ms there is still no ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** @param {number} port @returns {Promise<true | undefined>} */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy() && resolve(true));
    socket.once('error', () => resolve(undefined));
  });
}

/** A process that listens on a port. Ended by `stop()`, also where it had not begun to listen. */
export class Running {
  log = '';

  /**
   * @param {string} file @param {readonly string[]} args @param {number} port
   * @param {import('node:child_process').SpawnOptions} [options]
   */
  constructor(file, args, port, options = {}) {
    this.port = port;
    this.address = `127.0.0.1:${port}`;
    this.child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.child, 'exit');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (bytes) => {
        this.log = (this.log + bytes).slice(-LOG_CHARACTERS_MAX);
      });
    }
  }

  async ready() {
    try {
      await until(`listener on ${this.address}`, () => {
        if (this.child.exitCode !== null) throw new Error('it ended');
        return accepts(this.port);
      });
      return this;
    } catch (error) {
      await this.stop('SIGKILL');
      throw new Error(`${this.child.spawnfile}: ${error}; it said:\n${this.log}`);
    }
  }

  /** @param {NodeJS.Signals} [signal] */
  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.ended;
  }
}

/**
 * A seat service of its own.
 * @param {{port?: number, store?: string}} [options] store: `memory:` or `sqlite:PATH`
 */
export async function startService({ port, store = 'memory:' } = {}) {
  const at = port ?? (await freePort());
  const flags = [`--listen=127.0.0.1:${at}`, '--admin-listen=127.0.0.1:0', `--store=${store}`];
  return new Running(program('seatlockd'), flags, at).ready();
}

/**
 * An edge of a service.
 * @param {string} upstream
 */
export async function startEdge(upstream) {
  const at = await freePort();
  const flags = [`--listen=127.0.0.1:${at}`, '--admin-listen=127.0.0.1:0'];
  return new Running(program('seatlock-edge'), [...flags, `--upstream=${upstream}`], at).ready();
}
