// docs/nextjs.md: checked with the site's own Next, and its proxy and route handlers run against a
// real seat service. The whole of it, built and in a browser, is clients/demo's to show.

import { createRequire } from 'node:module';
import { type SeatLockClient, SeatLockError } from '@seatlock/client/node';
import { build } from 'esbuild';
import { beforeAll, expect, it, vi } from 'vitest';
import { type Running, startService } from '../support/programs.mjs';
import { Project } from '../support/project.mjs';
import { writeSnippets } from '../support/snippets.mjs';

const MODULES = [
  ...['@grpc/grpc-js', 'next', 'react', 'react-dom'],
  ...['@types/node', '@types/react', '@types/react-dom'],
];
const URL_123 = 'http://127.0.0.1:3000/api/seat-locks?showtimeId=123';

// Next is installed for the site alone, so its classes are described by what this test needs.
type Handler = (request: Request) => Promise<Response>;
interface Loaded {
  readonly routes: Record<'GET' | 'POST' | 'PATCH' | 'DELETE', Handler>;
  readonly proxy: (request: Request) => Response;
  readonly NextRequest: new (url: string, init?: RequestInit) => Request;
  readonly snapshotFor: (showtimeId: string, sessionId: string) => Promise<object>;
  readonly seatlock: () => SeatLockClient;
}

let project: Project;
let service: Running;
let site: Loaded;

/** What the route handlers and the proxy are, as Next would load them. */
async function load(): Promise<Loaded> {
  const main = project.write(
    'main.ts',
    `export * as routes from './app/api/seat-locks/route';
     export { proxy } from './proxy';
     export { snapshotFor } from './lib/seatlock';
     export { NextRequest } from 'next/server';
     export { seatlock } from './lib/seatlock';`,
  );
  const outfile = project.path('out/main.cjs');
  const options = { bundle: true, packages: 'external', format: 'cjs', platform: 'node' } as const;
  await build({ ...options, entryPoints: [main], outfile, alias: { '@': project.folder } });
  return createRequire(import.meta.url)(outfile) as Loaded;
}

beforeAll(async () => {
  project = new Project({ modules: MODULES, from: ['clients/demo', '.'] });
  writeSnippets(project, 'docs/nextjs.md');
  service = await startService();
  process.env.SEATLOCK_SITE_UPSTREAM = service.address;
  process.env.SEATLOCK_COOKIE_SECRET = 'a secret for this test, no other!';
  site = await load();
  return async () => {
    site.seatlock().close();
    await service.stop();
    project.remove();
  };
});

it('checks', () => {
  project.write('styles.d.ts', "declare module '*.css';\n"); // next-env.d.ts says it in a site
  const options = {
    module: 'esnext',
    moduleResolution: 'bundler',
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    skipLibCheck: true,
    // Next's own types are not made for it, nor are most sites.
    exactOptionalPropertyTypes: false,
    types: ['node'],
    paths: { '@/*': ['./*'] },
  };
  expect(project.typecheck(options, ['**/*.ts', '**/*.tsx'])).toBe('');
});

/** A new shopper's cookie, as the proxy mints it. */
function newCookie(): string {
  const response = site.proxy(new site.NextRequest('http://127.0.0.1:3000/showtimes/123'));
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

interface Body {
  readonly sessionId: string;
  readonly seats: readonly { seatId: string; status?: string }[];
  readonly revision: number;
  readonly code?: string;
}

async function call(
  method: keyof Loaded['routes'],
  cookie: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Body }> {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const request = new site.NextRequest(URL_123, {
    method,
    headers: { host: '127.0.0.1:3000', cookie, ...json, ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const response = await site.routes[method](request);
  return { status: response.status, body: (await response.json()) as Body };
}

const namesOf = ({ body }: { body: Body }) => body.seats.map(({ seatId }) => seatId);

it('the proxy mints a cookie once, and the page that renders now sees it', () => {
  const { proxy, NextRequest } = site;
  const request = new NextRequest('http://127.0.0.1:3000/showtimes/123');
  const first = proxy(request);
  const set = first.headers.getSetCookie()[0] ?? '';
  expect(set).toMatch(/^seatlock_session=[\w-]{32}\.[\w-]{43};.*HttpOnly; SameSite=lax/);
  const cookie = set.split(';')[0] ?? '';
  expect(first.headers.get('x-middleware-request-cookie')).toBe(cookie);
  const again = proxy(new NextRequest(request.url, { headers: { cookie } }));
  expect(again.headers.getSetCookie()).toEqual([]);
});

it('the four calls lock, show, extend and unlock', async () => {
  const alice = newCookie();
  const locked = await call('POST', alice, { showtimeId: '123', seatIds: ['A01', 'A02'] });
  expect([locked.status, namesOf(locked)]).toEqual([200, ['A01', 'A02']]);
  const shown = await call('GET', alice);
  expect(shown.body).toMatchObject({
    sessionId: locked.body.sessionId,
    revision: locked.body.revision,
  });
  expect(namesOf(shown)).toEqual(['A01', 'A02']);
  expect(namesOf(await call('PATCH', alice, { showtimeId: '123' }))).toEqual(['A01', 'A02']);
  expect(namesOf(await call('DELETE', alice, { seatId: 'A01' }))).toEqual(['A02']);
  expect(namesOf(await call('DELETE', alice))).toEqual([]);
});

it('a taken seat is 409, and an id in the body is nobody', async () => {
  const [alice, bob] = [newCookie(), newCookie()];
  const held = await call('POST', alice, { showtimeId: '123', seatId: 'B01' });
  const { sessionId } = held.body;
  const refused = await call('POST', bob, { showtimeId: '123', seatId: 'B01', sessionId });
  expect([refused.status, refused.body.code]).toEqual([409, 'SEAT_TAKEN']);
  expect(refused.body.seats).toEqual([{ seatId: 'B01', status: 'locked' }]);
});

it.each([
  ['another site', { showtimeId: '123', seatId: 'C01' }, { origin: 'https://other.example' }, 403],
  ['another site', { showtimeId: '123', seatId: 'C01' }, { 'sec-fetch-site': 'cross-site' }, 403],
  ['a form', { showtimeId: '123', seatId: 'C01' }, { 'content-type': 'text/plain' }, 415],
  ['what is no JSON', '{', {}, 400],
  ['a wrong type', { showtimeId: '123', seatIds: ['C01'], releaseSeatIds: 7 }, {}, 400],
  ['an unknown seat', { showtimeId: '123', seatId: 'Z99' }, {}, 404],
  ['an unknown showtime', { showtimeId: '9', seatId: 'C01' }, {}, 404],
])('refuses %s', async (_name, body, headers, status) => {
  const refused = await call('POST', newCookie(), body, headers);
  expect(refused.status, JSON.stringify(refused.body)).toBe(status);
});

it('without a cookie of ours nobody acts', async () => {
  expect((await call('POST', '', { showtimeId: '123', seatId: 'C01' })).status).toBe(401);
  const forged = `${newCookie().slice(0, -1)}.`;
  expect((await call('POST', forged, { showtimeId: '123', seatId: 'C01' })).status).toBe(401);
});

it('a change whose outcome cannot be looked at is not said to be refused', async () => {
  const away = new SeatLockError('away', { reason: 'STORE_UNAVAILABLE', code: 14 });
  const look = vi.spyOn(site.seatlock(), 'listSessionLocks').mockRejectedValue(away);
  const alice = newCookie();
  const locked = await call('POST', alice, { showtimeId: '123', seatId: 'C05' });
  expect([locked.status, locked.body.code]).toEqual([503, 'OUTCOME_UNKNOWN']);
  // A look alone changes nothing.
  expect((await call('GET', alice)).body.code).toBe('STORE_UNAVAILABLE');
  look.mockRestore();
  expect(namesOf(await call('GET', alice))).toEqual(['C05']);
});

it("the page's snapshot tells the shopper's own seats and nobody else's", async () => {
  const [alice, bob] = [newCookie(), newCookie()];
  const own = await call('POST', alice, { showtimeId: '123', seatId: 'D01' });
  const other = await call('POST', bob, { showtimeId: '123', seatId: 'D02' });
  const snapshot = await site.snapshotFor('123', own.body.sessionId);
  expect(snapshot).toMatchObject({ revision: other.body.revision, bookedSeats: [] });
  expect(snapshot).toMatchObject({ lockedSeats: expect.arrayContaining(['D01', 'D02']) });
  expect(JSON.stringify(snapshot)).toMatch(/"yourSeats":\[\{"seatId":"D01","expiresAt":\d+\}\]/);
  expect(JSON.stringify(snapshot)).not.toContain(other.body.sessionId);
});
