// What another shopper, a box office or an observer does: seatctl against the service under test.
import { execFile } from 'node:child_process';
import { binary } from './paths.js';

export interface Seat {
  readonly seatId: string;
  readonly status: string;
  readonly sessionId: string;
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
}
