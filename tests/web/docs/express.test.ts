// docs/express.md: its server, run over HTTP against a real seat service.

import { beforeAll, describe, expect, it } from 'vitest';
import { startHalfService } from '../support/half_service.mjs';
import { freePort, Running, startService } from '../support/programs.mjs';
import { Project } from '../support/project.mjs';
import { compile, writeSnippets } from '../support/snippets.mjs';

const MODULES = ['@grpc/grpc-js', 'express', '@types/express', '@types/node'];
const SECRET = 'a secret for this test, no other!';

let project: Project;
let service: Running;
let server: Running;

beforeAll(async () => {
  project = new Project({ packages: ['client'], modules: MODULES });
  const snippets = writeSnippets(project, 'docs/express.md');
  await compile(project, snippets);
  service = await startService();
  server = await startServer(service.address);
  return async () => {
    await server.stop();
    await service.stop();
    project.remove();
  };
});

/** The page's server, of a seat service at this address. */
async function startServer(address: string): Promise<Running> {
  const port = await freePort();
  const env = { ...process.env, PORT: `${port}`, SEATLOCK_COOKIE_SECRET: SECRET };
  return new Running(process.execPath, ['out/server.js'], port, {
    cwd: project.folder,
    env: { ...env, SEATLOCK_ADDRESS: address },
  }).ready();
}

it('checks', () => {
  const options = { module: 'nodenext', types: ['node'], skipLibCheck: true };
  expect(project.typecheck(options, ['*.ts'])).toBe('');
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly sessionId?: string;
    readonly seats?: readonly { seatId: string; expiresAt?: number; status?: string }[];
    readonly seatIds?: readonly string[];
    readonly revision?: number;
    readonly serverTime?: number;
    readonly code?: string;
  };
}

/** A browser: it keeps its cookie. */
class Shopper {
  cookie = '';

  constructor(private readonly of = server) {}

  async call(method: string, body?: unknown, { path = '/api/seat-locks', headers = {} } = {}) {
    const sent: Record<string, string> = { ...headers };
    if (this.cookie) sent.cookie = this.cookie;
    if (body !== undefined) sent['content-type'] ??= 'application/json';
    const response = await fetch(`http://${this.of.address}${path}`, {
      method,
      headers: sent,
      body: typeof body === 'string' ? body : (JSON.stringify(body) ?? null),
    });
    const [set] = response.headers.getSetCookie();
    if (set) this.cookie = set.split(';')[0] ?? '';
    const answer = { status: response.status, headers: response.headers, body: {} };
    return { ...answer, body: await response.json() } as Answer;
  }

  get(showtimeId = '123') {
    return this.call('GET', undefined, { path: `/api/seat-locks?showtimeId=${showtimeId}` });
  }
}

const namesOf = ({ body }: Answer) => body.seats?.map(({ seatId }) => seatId);

describe('the four calls', () => {
  it('lock, show, extend and unlock what the shopper holds', async () => {
    const alice = new Shopper();
    const locked = await alice.call('POST', { showtimeId: '123', seatIds: ['A01', 'A02'] });
    expect([locked.status, namesOf(locked)]).toEqual([200, ['A01', 'A02']]);
    const shown = await alice.get();
    expect([shown.body.sessionId, namesOf(shown), shown.body.revision]).toEqual([
      locked.body.sessionId,
      ['A01', 'A02'],
      locked.body.revision,
    ]);
    const extended = await alice.call('PATCH', { showtimeId: '123' });
    expect(namesOf(extended)).toEqual(['A01', 'A02']);
    const until = (answer: Answer) => answer.body.seats?.[0]?.expiresAt ?? 0;
    expect(until(extended)).toBeGreaterThanOrEqual(until(locked));
    const swap = { showtimeId: '123', seatId: 'A03', releaseSeatIds: ['A01'] };
    expect(namesOf(await alice.call('POST', swap))).toEqual(['A02', 'A03']);
    const one = await alice.call('DELETE', { showtimeId: '123', seatIds: ['A02'] });
    expect(namesOf(one)).toEqual(['A03']);
    const path = '/api/seat-locks?showtimeId=123';
    expect(namesOf(await alice.call('DELETE', undefined, { path }))).toEqual([]);
  });

  it('refuse a taken seat with 409, naming every one and not who has it', async () => {
    const [alice, bob] = [new Shopper(), new Shopper()];
    const { body: held } = await alice.call('POST', { showtimeId: '123', seatIds: ['B01', 'B02'] });
    const seatIds = ['B01', 'B02', 'B03'];
    const refused = await bob.call('POST', { showtimeId: '123', seatIds });
    expect([refused.status, refused.body.code]).toEqual([409, 'SEAT_TAKEN']);
    expect(refused.body.seats).toEqual([
      { seatId: 'B01', status: 'locked' },
      { seatId: 'B02', status: 'locked' },
    ]);
    expect(JSON.stringify(refused.body)).not.toContain(held.sessionId);
    expect(namesOf(await bob.get())).toEqual([]);
  });

  it.each([
    ['another showtime', { showtimeId: '9', seatIds: ['A01'] }, 404],
    ['a seat that the hall has not', { showtimeId: '123', seatIds: ['Z99'] }, 404],
    ['no seats', { showtimeId: '123', seatIds: [] }, 400],
    ['a wrong type', { showtimeId: '123', seatIds: ['A01'], releaseSeatIds: 7 }, 400],
    ['no JSON', '{', 400],
  ])('refuse %s', async (_name, body, status) => {
    const refused = await new Shopper().call('POST', body);
    expect(refused.status, JSON.stringify(refused.body)).toBe(status);
    expect(refused.body.code).toMatch(/^[A-Z_]+$/);
  });
});

describe('the shopper', () => {
  it('is whom the signed cookie names, whatever the body says', async () => {
    const [alice, bob] = [new Shopper(), new Shopper()];
    const { body } = await alice.get();
    const forged = { showtimeId: '123', seatId: 'C01', sessionId: body.sessionId };
    const locked = await bob.call('POST', forged);
    expect(locked.body.sessionId).not.toBe(body.sessionId);
    expect(namesOf(await alice.get())).toEqual([]);
  });

  it('is a new one where the cookie was tampered with', async () => {
    const alice = new Shopper();
    const { body } = await alice.get();
    const cookie = alice.cookie;
    expect((await alice.get()).body.sessionId).toBe(body.sessionId);
    alice.cookie = cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    expect((await alice.get()).body.sessionId).not.toBe(body.sessionId);
  });

  it('has a cookie that scripts and other sites do not get', async () => {
    const { headers } = await new Shopper().get();
    expect(headers.getSetCookie()[0]).toMatch(/^seatlock_session=.*HttpOnly; SameSite=Lax$/);
  });
});

describe('the guard', () => {
  const body = { showtimeId: '123', seatId: 'D01' };
  it.each([
    ['an Origin of another site', { origin: 'https://other.example' }, 403],
    ['an Origin of no site', { origin: 'null' }, 403],
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a body that is a form', { 'content-type': 'text/plain' }, 415],
  ])('refuses %s', async (_name, headers, status) => {
    const refused = await new Shopper().call('POST', body, { headers });
    expect(refused.status).toBe(status);
  });

  it('lets the site itself pass', async () => {
    const headers = { origin: `http://${server.address}`, 'sec-fetch-site': 'same-origin' };
    expect((await new Shopper().call('POST', body, { headers })).status).toBe(200);
  });
});

it('an order books the seats that it names, once, and its repeat says the same', async () => {
  const alice = new Shopper();
  await alice.call('POST', { showtimeId: '123', seatIds: ['D05', 'D06'] });
  const order = { showtimeId: '123', seatIds: ['D05', 'D06'], orderId: 'order-1' };
  const first = await alice.call('POST', order, { path: '/api/orders' });
  expect([first.status, first.body.seatIds]).toEqual([200, ['D05', 'D06']]);
  const repeat = await alice.call('POST', order, { path: '/api/orders' });
  expect(repeat.body).toEqual(first.body);
  const taken = await new Shopper().call('POST', { showtimeId: '123', seatId: 'D05' });
  expect(taken.body.seats).toEqual([{ seatId: 'D05', status: 'booked' }]);
});

it('a change whose outcome cannot be looked at is not said to be refused', async () => {
  const half = await startHalfService();
  const site = await startServer(half.address);
  try {
    const alice = new Shopper(site);
    const locked = await alice.call('POST', { showtimeId: '123', seatId: 'D08' });
    expect([locked.status, locked.body.code]).toEqual([503, 'OUTCOME_UNKNOWN']);
    expect(locked.headers.get('retry-after')).toBe('1');
    // A look alone changes nothing.
    expect((await alice.get()).body.code).not.toBe('OUTCOME_UNKNOWN');
  } finally {
    await site.stop();
    half.stop();
  }
});

// Last: it ends the service.
it('without the service, calls answer 503 and when to come back', async () => {
  await service.stop();
  const refused = await new Shopper().call('POST', { showtimeId: '123', seatId: 'D09' });
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
});
