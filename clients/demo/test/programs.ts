// seatlockd and the built site on free ports of this machine, for one test file.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SITE = fileURLToPath(new URL('..', import.meta.url));
const NEXT = join(SITE, 'node_modules/next/dist/bin/next');
const BIN = process.env.SEATLOCK_BIN ?? join(SITE, '../../build/release/bin');
const READY_MS = 30_000;

export class Shop {
  readonly folder = mkdtempSync(join(tmpdir(), 'seatlock-site-'));
  #service: ChildProcess | null = null;
  #site: ChildProcess | null = null;

  private constructor(
    readonly port: number,
    readonly servicePort: number,
    readonly adminPort: number,
  ) {}

  /** Both programs, ready. `env` goes to the site. */
  static async open(env: Record<string, string> = {}): Promise<Shop> {
    if (!existsSync(join(SITE, '.next/BUILD_ID'))) {
      throw new Error('the site is not built: ./dev site-build');
    }
    const [port = 0, servicePort = 0, adminPort = 0] = await freePorts(3);
    const shop = new Shop(port, servicePort, adminPort);
    await shop.startService();
    await shop.startSite(env);
    return shop;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async startService(): Promise<void> {
    this.#service = spawn(
      join(BIN, 'seatlockd'),
      [
        `--listen=127.0.0.1:${this.servicePort}`,
        `--admin-listen=127.0.0.1:${this.adminPort}`,
        `--store=sqlite:${this.folder}/seats.db`,
        '--log-level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await ready(this.#service, `http://127.0.0.1:${this.adminPort}/readyz`);
  }

  async stopService(): Promise<void> {
    await ended(this.#service, 'SIGTERM');
  }

  async startSite(env: Record<string, string>): Promise<void> {
    this.#site = spawn(
      process.execPath,
      [NEXT, 'start', SITE, '-H', '127.0.0.1', '-p', String(this.port)],
      {
        stdio: ['ignore', 'ignore', 'ignore'],
        env: {
          ...process.env,
          NODE_ENV: 'production',
          NEXT_TELEMETRY_DISABLED: '1',
          SEATLOCK_SITE_DB: join(this.folder, 'site.db'),
          SEATLOCK_SITE_UPSTREAM: `127.0.0.1:${this.servicePort}`,
          ...env,
        },
      },
    );
    await ready(this.#site, `${this.url}/`);
  }

  async stopSite(): Promise<void> {
    await ended(this.#site, 'SIGTERM');
  }

  async close(): Promise<void> {
    await ended(this.#site, 'SIGKILL');
    await ended(this.#service, 'SIGKILL');
    rmSync(this.folder, { recursive: true });
  }
}

async function ended(program: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (program === null || program.exitCode !== null || program.signalCode !== null) {
    return;
  }
  const exit = new Promise((resolve) => program.once('exit', resolve));
  program.kill(signal);
  await exit;
}

async function ready(program: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (!(await answers(url))) {
    if (program.exitCode !== null || Date.now() > deadline) {
      throw new Error(`${program.spawnfile} is not ready: nothing good at ${url}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Bound together, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
