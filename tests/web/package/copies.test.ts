// A program may hold several copies of a package: two installed ones, or the ES module and the
// CommonJS build of one. Errors are told apart by what they say, so all copies agree on them.

import { beforeAll, expect, it } from 'vitest';
import { tarball } from '../support/paths.mjs';
import { freePort } from '../support/programs.mjs';
import { Project, unpack } from '../support/project.mjs';

let project: Project;
beforeAll(() => {
  project = new Project({ packages: [], modules: ['@grpc/grpc-js'] });
  unpack(tarball('client'), project.path('a/node_modules/@seatlock/client'));
  unpack(tarball('client'), project.path('b/node_modules/@seatlock/client'));
  for (const copy of ['a', 'b']) {
    project.write(`${copy}/esm.mjs`, "export * from '@seatlock/client/node';\n");
    project.write(`${copy}/cjs.cjs`, "module.exports = require('@seatlock/client/node');\n");
    project.write(`${copy}/page.mjs`, "export * from '@seatlock/client';\n");
  }
  return () => project.remove();
});

it('an error of one copy is an error to every other, though never by class', async () => {
  const address = `127.0.0.1:${await freePort()}`; // nobody listens there
  project.write(
    'main.mjs',
    `
    const files = ['a/esm.mjs', 'a/cjs.cjs', 'b/esm.mjs', 'b/cjs.cjs'];
    const copies = await Promise.all(files.map((file) => import('./' + file)));
    const failure = async ({ createSeatLockClient }) => {
      const seats = createSeatLockClient({ address: '${address}', deadlineMs: 300 });
      const request = { showtimeId: '1', seatId: 'A01', sessionId: 's' };
      const error = await seats.lockSeat(request).then(() => 'locked', (thrown) => thrown);
      seats.close();
      return error;
    };
    const lines = [];
    for (const [from, copy] of copies.entries()) {
      const error = await failure(copy);
      for (const [to, other] of copies.entries()) {
        lines.push([files[from], files[to], other.isSeatLockError(error),
          error instanceof other.SeatLockError === (from === to), typeof error.reason]);
      }
    }
    console.log(JSON.stringify(lines));
    `,
  );
  const ran = project.run(['main.mjs']);
  expect(ran.code, ran.output).toBe(0);
  const lines = JSON.parse(ran.output) as [string, string, boolean, boolean, string][];
  expect(lines).toHaveLength(16);
  for (const [from, to, known, ownClassAlone, reason] of lines) {
    expect([known, ownClassAlone, reason], `${from} seen by ${to}`).toEqual([true, true, 'string']);
  }
});

it('nothing else passes for such an error', () => {
  project.write(
    'others.mjs',
    `
    import { isSeatLockError } from './a/esm.mjs';
    const others = [undefined, null, 'SEAT_TAKEN', 9, new Error('SEAT_TAKEN'), {},
      Object.assign(new Error('x'), { code: 9 }), { reason: 'SEAT_TAKEN' }];
    console.log(others.filter(isSeatLockError).length);
    `,
  );
  expect(project.run(['others.mjs'])).toEqual({ code: 0, output: '0\n' });
});

it('a failed call of a page says the same from two copies', () => {
  project.write(
    'pages.mjs',
    `
    globalThis.fetch = async () => { throw new TypeError('fetch failed'); };
    const pages = await Promise.all(['./a/page.mjs', './b/page.mjs'].map((file) => import(file)));
    for (const { seatLocks } of pages) {
      const calls = seatLocks({ url: 'http://127.0.0.1/api/seat-locks' });
      const error = await calls.lock('1', ['A01']).catch((thrown) => thrown);
      console.log(error.name, error.code, error.status, error.outcomeUnknown);
    }
    `,
  );
  const line = 'SeatLocksError NETWORK 0 true\n';
  expect(project.run(['pages.mjs'])).toEqual({ code: 0, output: line + line });
});
