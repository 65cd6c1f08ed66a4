// Sends an order until its outcome is known. Each order has a key; a call that was not answered is
// sent again under the same key and for the same seats, so nothing is bought twice.

export interface Wanted {
  readonly showtimeId: string;
  readonly seatIds: readonly string[];
  readonly name: string;
}

export type Result =
  | { readonly orderId: string; readonly problem?: undefined }
  | { readonly orderId?: undefined; readonly problem: string };

type Attempt = Result | { readonly retryAfterMs: number; readonly problem: string };

const TRIES_MAX = 4;
const TIMEOUT_MS = 10_000;
const PAUSE_MS = 1_000;
const PAUSE_MAX_MS = 10_000;

export class Purchase {
  /** The order whose outcome is not known. */
  #open: (Wanted & { readonly orderKey: string }) | null = null;

  constructor(readonly url: string) {}

  async buy(wanted: Wanted): Promise<Result> {
    if (this.#open === null && wanted.seatIds.length === 0) {
      return { problem: 'Choose a seat first.' };
    }
    this.#open ??= { ...wanted, orderKey: newKey() };
    let problem = '';
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const attempt = await this.#send(this.#open);
      if (!('retryAfterMs' in attempt)) {
        this.#open = null;
        return attempt;
      }
      problem = attempt.problem;
      await pause(tries + 1 < TRIES_MAX ? attempt.retryAfterMs : 0);
    }
    return { problem: `${problem} Press Buy to ask again: nothing is bought twice.` };
  }

  async #send(order: Wanted): Promise<Attempt> {
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(order),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return read(response.status, response.headers, await response.json());
    } catch {
      return { retryAfterMs: PAUSE_MS, problem: 'The site did not answer.' };
    }
  }
}

function read(status: number, headers: Headers, body: unknown): Attempt {
  const { orderId, message, seats } = (body ?? {}) as Record<string, unknown>;
  if (status === 200 && typeof orderId === 'string') {
    return { orderId };
  }
  const problem = typeof message === 'string' ? message : 'The site did not understand.';
  if (status === 429 || status >= 500) {
    const wait = Number(headers.get('Retry-After') ?? 0) * 1000 || PAUSE_MS;
    return { retryAfterMs: Math.min(wait, PAUSE_MAX_MS), problem };
  }
  const names = Array.isArray(seats) ? seats.map((seat: { seatId?: unknown }) => seat.seatId) : [];
  return { problem: names.length === 0 ? problem : `${names.join(', ')}: ${problem}` };
}

/** 128 bits. randomUUID would want https. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
