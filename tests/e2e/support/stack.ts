// seatlockd and seatlock-edge on free ports with a store in a temporary folder. They can be stopped
// and started again on the same ports and store.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary } from './paths.js';
import { freePort, Program } from './program.js';
import { Seatctl } from './seatctl.js';

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
  ) {}

  /** The edge's address as browsers reach it without a proxy. */
  get edgeUrl(): string {
    return `ws://127.0.0.1:${this.edgePort}/ws/seat-updates`;
  }

  /** `edgeFlags`: further flags of the edge. */
  static async start(...edgeFlags: string[]): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), 'seatlock-e2e-'));
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
        ...edgeFlags,
      ],
      readyUrl: `http://127.0.0.1:${edgeAdmin}/readyz`,
    });
    const seatctl = new Seatctl(`127.0.0.1:${grpc}`);
    const address = `127.0.0.1:${grpc}`;
    const stack = new Stack(folder, service, address, edge, Number(edgePort), seatctl);
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
