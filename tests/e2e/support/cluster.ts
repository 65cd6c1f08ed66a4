// Two servers on one Redis, two edges, the site, and nginx in front, as `./dev up --redis` has
// them, on free ports and with their data in a temporary folder.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nginxProgram, writeNginxFiles } from './nginx.js';
import { binary, repositoryPath } from './paths.js';
import { freePort, Program } from './program.js';
import { Seatctl } from './seatctl.js';
import { siteProgram } from './site.js';

const REDIS = process.env.SEATLOCK_REDIS_SERVER ?? '/usr/bin/redis-server';
const run = promisify(execFile);

function redisProgram(port: number, folder: string): Program {
  const ping = async () => {
    const { stdout } = await run('redis-cli', ['-p', String(port), 'ping']).catch(() => ({
      stdout: '',
    }));
    return stdout.trim() === 'PONG';
  };
  const settings = repositoryPath('deploy/redis/seatlock-strict.conf');
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  return new Program({
    name: 'redis-server',
    command: REDIS,
    args: [settings, ...own, '--min-replicas-to-write', '0'],
    readyUrl: ping,
  });
}

function address(port: number | undefined): string {
  return `127.0.0.1:${port}`;
}

async function server(store: string, listen: number): Promise<Program> {
  const admin = address(await freePort());
  return new Program({
    name: `seatlockd on ${listen}`,
    command: binary('seatlockd'),
    args: [`--listen=${address(listen)}`, `--admin-listen=${admin}`, `--store=${store}`],
    readyUrl: `http://${admin}/readyz`,
  });
}

async function edge(upstream: string, listen: number): Promise<Program> {
  const admin = address(await freePort());
  return new Program({
    name: `seatlock-edge on ${listen}`,
    command: binary('seatlock-edge'),
    args: [
      `--listen=${address(listen)}`,
      `--admin-listen=${admin}`,
      `--upstream=${upstream}`,
      '--trusted-proxies=127.0.0.1/32,::1/128',
    ],
    readyUrl: `http://${admin}/readyz`,
  });
}

type Pair = readonly [Program, Program];

/** Whoever makes it calls `stop()`. */
export class Cluster {
  private constructor(
    private readonly folder: string,
    private readonly store: string,
    private readonly redis: Program,
    readonly servers: Pair,
    readonly edges: Pair,
    private readonly site: Program,
    private readonly nginx: Program,
    /** The one address that browsers know. */
    readonly url: string,
    /** It knows both servers, as the edges and the site do. */
    readonly seatctl: Seatctl,
  ) {}

  static async start(): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), 'seatlock-cluster-'));
    const cluster = await Cluster.laidOut(folder);
    try {
      await cluster.startAll();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  private static async laidOut(folder: string): Promise<Cluster> {
    const ports = await Promise.all(Array.from({ length: 7 }, freePort));
    const [redis = 0, a = 0, b = 0, edge1 = 0, edge2 = 0, site = 0, listen = 0] = ports;
    const store = `redis://${address(redis)}`;
    const upstream = `${address(a)},${address(b)}`;
    const nginx = { listen, site, edge: edge1, secondEdge: edge2 };
    await writeNginxFiles(join(folder, 'nginx'), nginx);
    return new Cluster(
      folder,
      store,
      redisProgram(redis, folder),
      [await server(store, a), await server(store, b)],
      [await edge(upstream, edge1), await edge(upstream, edge2)],
      siteProgram({ port: site, upstream, database: join(folder, 'site.db') }),
      nginxProgram(join(folder, 'nginx'), nginx),
      `http://${address(listen)}`,
      new Seatctl(upstream),
    );
  }

  private async startAll(): Promise<void> {
    await this.redis.start();
    await run(binary('seatlockd'), ['store', 'init', `--store=${this.store}`]);
    await Promise.all([...this.servers, ...this.edges].map((program) => program.start()));
    await this.site.start();
    await this.nginx.start();
  }

  async stop(): Promise<void> {
    const first = [this.nginx, this.site, ...this.edges, ...this.servers];
    for (const program of [...first, this.redis]) await program.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
