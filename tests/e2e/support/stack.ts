// seatlockd and seatlock-edge on free ports with a store in a temporary folder. They can be stopped
// and started again on the same ports and store.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary } from './paths.js';
import { freePort, Program } from './program.js';
import { Seatctl } from './seatctl.js';

export interface StackOptions {
  /** Further flags of the edge. */
  readonly edgeFlags?: readonly string[];
  /** The edge wants tokens, of the key in `tokenKeys`. */
  readonly tokens?: boolean;
}

/** Programs of one test file. Whoever makes it calls `stop()`. */
export class Stack {
  private readonly others: Program[] = [];

  private constructor(
    readonly folder: string,
    readonly service: Program,
    readonly serviceAddress: string,
    readonly edge: Program,
    readonly edgePort: number,
    readonly seatctl: Seatctl,
    /** A JWKS with one shared secret. */
    readonly tokenKeys: string,
  ) {}

  /** The edge's address as browsers reach it without a proxy. */
  get edgeUrl(): string {
    return `ws://127.0.0.1:${this.edgePort}/ws/seat-updates`;
  }

  static async start({ edgeFlags = [], tokens = false }: StackOptions = {}): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), 'seatlock-e2e-'));
    const tokenKeys = join(folder, 'token-jwks.json');
    await writeTokenKeys(tokenKeys);
    const tokenFlags = tokens ? [`--token-jwks=${tokenKeys}`, '--require-token'] : [];
    const [grpc, admin, edgePort, edgeAdmin] = await Promise.all([1, 2, 3, 4].map(freePort));
    const service = new Program({
      name: 'seatlockd',
      command: binary('seatlockd'),
      args: [
        `--listen=127.0.0.1:${grpc}`,
        `--admin-listen=127.0.0.1:${admin}`,
        `--store=sqlite:${join(folder, 'seatlock.db')}`,
      ],
      readyUrl: `http://127.0.0.1:${admin}/readyz`,
    });
    const edge = new Program({
      name: 'seatlock-edge',
      command: binary('seatlock-edge'),
      args: [
        `--listen=127.0.0.1:${edgePort}`,
        `--admin-listen=127.0.0.1:${edgeAdmin}`,
        `--upstream=127.0.0.1:${grpc}`,
        ...tokenFlags,
        ...edgeFlags,
      ],
      readyUrl: `http://127.0.0.1:${edgeAdmin}/readyz`,
    });
    const seatctl = new Seatctl(`127.0.0.1:${grpc}`);
    const address = `127.0.0.1:${grpc}`;
    const port = Number(edgePort);
    const stack = new Stack(folder, service, address, edge, port, seatctl, tokenKeys);
    try {
      await service.start();
      await edge.start();
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  /** Starts a further program, which ends with the stack, before its first ones. */
  async add(program: Program): Promise<Program> {
    this.others.unshift(program);
    await program.start();
    return program;
  }

  async stop(): Promise<void> {
    for (const program of [...this.others, this.edge, this.service]) await program.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function writeTokenKeys(path: string): Promise<void> {
  const k = randomBytes(32).toString('base64url');
  const keys = [{ kty: 'oct', alg: 'HS256', kid: '1', k }];
  await writeFile(path, JSON.stringify({ keys }), { mode: 0o600 });
}
