// For tests: a real seatlockd on a loopback port, with a store of its own that outlives it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN =
  process.env.SEATLOCK_BIN ??
  fileURLToPath(new URL('../../../../../build/release/bin', import.meta.url));
const LOG_CHARACTERS_MAX = 20_000;

/** Whoever makes one removes it. */
export class Seatlockd {
  readonly #folder = mkdtempSync(join(tmpdir(), 'seatlock-node-'));
  readonly #store: string;
  #child: ChildProcess | undefined;
  #port = 0;

  private constructor(
    store: 'memory' | 'sqlite',
    readonly flags: readonly string[],
  ) {
    this.#store = store === 'memory' ? 'memory:' : `sqlite:${join(this.#folder, 'seats.db')}`;
  }

  static async start(store: 'memory' | 'sqlite' = 'memory', ...flags: string[]) {
    const server = new Seatlockd(store, flags);
    await server.start();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Again on the same port and store, where it ran before. */
  async start(): Promise<void> {
    const flags = [`--listen=${this.address}`, '--admin-listen=127.0.0.1:0', '--log-format=json'];
    const child = spawn(
      join(BIN, 'seatlockd'),
      [...flags, `--store=${this.#store}`, ...this.flags],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    this.#child = child;
    this.#port = await listeningPort(child);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The port that the log says it listens on; rejects where it ends before that. */
function listeningPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.stderr?.on('data', (bytes: Buffer) => {
      log = (log + bytes.toString()).slice(-LOG_CHARACTERS_MAX);
      const port = /"msg":"listening","address":"127\.0\.0\.1:(\d+)"/.exec(log)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`seatlockd ended before it listened: ${log}`)));
  });
}
