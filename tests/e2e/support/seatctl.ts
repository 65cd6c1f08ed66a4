// What another shopper, a box office or an observer does: seatctl against the service under test.
import { execFile } from 'node:child_process';
import { binary } from './paths.js';
import { until } from './program.js';

/** A showtime as the service knows it. */
export interface Truth {
  readonly revision: number;
  /** Every seat that is not available: `locked by SESSION` or `booked under ORDER`. */
  readonly seats: Readonly<Record<string, string>>;
}

interface GetAnswer {
  readonly snapshot: {
    readonly revision: string;
    readonly seats: readonly {
      readonly seatId: string;
      readonly status: string;
      readonly sessionId: string;
      readonly orderId: string;
    }[];
  };
}

export class Seatctl {
  constructor(private readonly server: string) {}

  /** Runs it; resolves with its exit code and what it printed. */
  run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    return new Promise((resolve) => {
      const all = ['--server', this.server, '-o', 'json', ...args];
      execFile(binary('seatctl'), all, { timeout: 20_000 }, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      });
    });
  }

  /** Runs it; an exit code other than 0 is an error. */
  async must(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`seatctl ${args.join(' ')}: exit ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  async lock(showtime: string, seats: string[], session: string, ttl = '10m'): Promise<void> {
    await this.must('lock', showtime, ...seats, '--session', session, '--ttl', ttl);
  }

  async unlock(showtime: string, seats: string[], session: string): Promise<void> {
    await this.must('unlock', showtime, ...seats, '--session', session);
  }

  async book(showtime: string, seats: string[], session: string, order: string): Promise<void> {
    await this.must('book', showtime, ...seats, '--session', session, '--order', order);
  }

  async get(showtime: string): Promise<Truth> {
    const { snapshot } = JSON.parse(await this.must('get', showtime)) as GetAnswer;
    const seats: Record<string, string> = {};
    for (const { seatId, status, sessionId, orderId } of snapshot.seats) {
      const locked = status === 'SEAT_STATUS_LOCKED';
      seats[seatId] = locked ? `locked by ${sessionId}` : `booked under ${orderId}`;
    }
    return { revision: Number(snapshot.revision), seats };
  }

  /** Waits until a seat's truth is this; undefined: available. */
  async seatIs(showtime: string, seatId: string, truth: string | undefined): Promise<void> {
    await until(`the service says that ${seatId} is ${truth ?? 'available'}`, async () => {
      return (await this.get(showtime)).seats[seatId] === truth;
    });
  }
}
