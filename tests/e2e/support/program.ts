// A program under test: started on ports that were free, waited for until it answers, ended by its
// own process id. Its output is kept, and shown where it fails.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const READY_MS_MAX = 30_000;
const END_MS_MAX = 15_000;
const OUTPUT_CHARACTERS_MAX = 200_000;

export interface ProgramOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Answers 200 once the program can serve; or a question that says so. */
  readonly readyUrl: string | (() => Promise<boolean>);
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no port to be had');
  return address.port;
}

/** Asks again and again until `condition` holds; an error names `what` after `limitMs`. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  limitMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(20);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

/** Thread-compatible: start and stop it from one place. */
export class Program {
  private child: ChildProcess | undefined;
  private ended: Promise<unknown> = Promise.resolve();
  private text = '';

  constructor(private readonly options: ProgramOptions) {}

  /** What it said since it was made, its newest part. */
  get output(): string {
    return this.text;
  }

  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && !this.child.signalCode;
  }

  /** Starts it, also again after `stop()`, and waits until it is ready. */
  async start(): Promise<void> {
    const { name, command, args, env, cwd, readyUrl } = this.options;
    if (this.running) throw new Error(`${name} runs already`);
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    // A worker that ends in the middle of a test takes its programs along.
    const last = () => child.kill('SIGTERM');
    process.once('exit', last);
    this.ended = once(child, 'exit')
      .catch((error: unknown) => this.keep(`${error}\n`))
      .finally(() => process.off('exit', last));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.keep(text));
    }
    const ready = async () => {
      if (!this.running) throw new Error(`${name} ended before it was ready`);
      return typeof readyUrl === 'string' ? answers(readyUrl) : readyUrl();
    };
    await until(`${name} is ready`, ready, READY_MS_MAX).catch((error: unknown) => {
      throw new Error(`${error}; it said:\n${this.text}`);
    });
  }

  /** SIGTERM, then what it takes. Does nothing where it has ended. */
  async stop(): Promise<void> {
    if (!this.child || !this.running) return;
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child?.kill('SIGKILL'), END_MS_MAX);
    await this.ended;
    clearTimeout(late);
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    if (!this.child || !this.running) throw new Error(`${this.options.name} does not run`);
    this.child.kill('SIGKILL');
    await this.ended;
  }

  private keep(text: string): void {
    this.text = (this.text + text).slice(-OUTPUT_CHARACTERS_MAX);
  }
}
