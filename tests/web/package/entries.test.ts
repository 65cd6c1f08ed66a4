// The packed packages in a user's project: every entry loads as ES module and as CommonJS, types
// check under both ways of resolving, and the browser's part needs nothing but itself.

import { build } from 'esbuild';
import { afterEach, describe, expect, it } from 'vitest';
import { Project } from '../support/project.mjs';

const projects: Project[] = [];
function newProject(...args: ConstructorParameters<typeof Project>): Project {
  const project = new Project(...args);
  projects.push(project);
  return project;
}
afterEach(() => {
  for (const project of projects.splice(0)) project.remove();
});

const ENTRIES = {
  '@seatlock/client': ['showtime', 'seatLocks'],
  '@seatlock/client/node': ['createSeatLockClient', 'SeatLockError', 'isSeatLockError'],
  '@seatlock/client/testing': ['FakeSeatServer'],
  '@seatlock/react': ['useWebSocketSeatUpdates', 'useSeat', 'useShowtime', 'SeatSelection'],
};
const RUNTIME = ['react', 'react-dom', '@grpc/grpc-js'];

describe.each(Object.entries(ENTRIES))('%s', (entry, names) => {
  const missing = `const missing = ${JSON.stringify(names)}.filter((n) => !(n in all));
    if (missing.length > 0) throw new Error('without ' + missing);`;

  it('loads as an ES module', () => {
    const project = newProject({ modules: RUNTIME });
    project.write('main.mjs', `import * as all from '${entry}';\n${missing}`);
    expect(project.run(['main.mjs'])).toEqual({ code: 0, output: '' });
  });

  it('loads as CommonJS', () => {
    const project = newProject({ modules: RUNTIME });
    project.write('main.cjs', `const all = require('${entry}');\n${missing}`);
    expect(project.run(['main.cjs'])).toEqual({ code: 0, output: '' });
  });
});

describe('without grpc-js', () => {
  it('the browser core and the fake server load', () => {
    const project = newProject({ packages: ['client'] });
    project.write('main.mjs', "import '@seatlock/client';\nimport '@seatlock/client/testing';\n");
    project.write(
      'main.cjs',
      "require('@seatlock/client');\nrequire('@seatlock/client/testing');\n",
    );
    expect(project.run(['main.mjs'])).toEqual({ code: 0, output: '' });
    expect(project.run(['main.cjs'])).toEqual({ code: 0, output: '' });
  });

  it('the Node client says what to install', () => {
    const project = newProject({ packages: ['client'] });
    project.write('main.mjs', "import '@seatlock/client/node';\n");
    const ran = project.run(['main.mjs']);
    expect(ran.code).not.toBe(0);
    expect(ran.output).toContain('@grpc/grpc-js');
  });
});

describe('for browsers', () => {
  // Nothing is marked external, and there is nothing that could be found: an import of `node:` or
  // of any package fails the bundle.
  it.each(['@seatlock/client', '@seatlock/client/testing'])(
    '%s needs nothing else',
    async (entry) => {
      const project = newProject({ packages: ['client'] });
      const main = project.write('main.mjs', `export * from '${entry}';\n`);
      const options = {
        bundle: true,
        write: false,
        platform: 'browser',
        logLevel: 'silent',
      } as const;
      const built = await build({ ...options, entryPoints: [main], metafile: true });
      const inputs = Object.keys(built.metafile.inputs);
      expect(inputs.filter((file) => !/main\.mjs$|@seatlock\/client\/dist\//.test(file))).toEqual(
        [],
      );
    },
  );

  it('the Node client does not bundle there', async () => {
    const project = newProject({ packages: ['client'], modules: ['@grpc/grpc-js'] });
    const main = project.write('main.mjs', "export * from '@seatlock/client/node';\n");
    const options = {
      bundle: true,
      write: false,
      platform: 'browser',
      logLevel: 'silent',
    } as const;
    await expect(build({ ...options, entryPoints: [main] })).rejects.toThrow(/node:|Could not/);
  });
});

const BROWSER_USER = `
import { type SeatLocksAnswer, type SeatState, seatLocks, showtime } from '@seatlock/client';
import { FakeSeatServer } from '@seatlock/client/testing';
import { type HallLayout, SeatSelection, useWebSocketSeatUpdates } from '@seatlock/react';

export const state: SeatState = showtime('123').seat('A06');
export const answer: Promise<SeatLocksAnswer> = seatLocks().lock('123', ['A06']);
export const layout: HallLayout = {
  name: 'Hall', locale: 'en', currency: 'EUR', categories: [], sections: [],
};
new FakeSeatServer().install();
export const parts = [SeatSelection, useWebSocketSeatUpdates];
// @ts-expect-error A showtime's id is a string.
showtime(123);
// @ts-expect-error There is no such status.
export const sold: boolean = showtime('123').seat('A06').status === 'sold';
`;

const NODE_USER = `
import { createSeatLockClient, isSeatLockError } from '@seatlock/client/node';

const seats = createSeatLockClient({ address: '127.0.0.1:50051' });
export async function hold(showtimeId: string, seatId: string, sessionId: string) {
  try {
    const { lock, revision } = await seats.lockSeat({ showtimeId, seatId, sessionId });
    return [lock.expireTime.getTime(), revision, lock.fence];
  } catch (error) {
    if (isSeatLockError(error)) return error.conflicts.map((conflict) => conflict.seatId);
    throw error;
  }
}
// @ts-expect-error The session is missing.
seats.lockSeat({ showtimeId: '123', seatId: 'A06' });
`;

// `verbatimModuleSyntax` would want other imports in CommonJS; bundlers have the one kind alone.
const RESOLUTIONS = [
  { module: 'node16', moduleResolution: 'node16', kinds: ['mts', 'cts'] },
  { module: 'preserve', moduleResolution: 'bundler', kinds: ['ts'] },
];

describe.each(RESOLUTIONS)('types under $moduleResolution', ({ kinds, ...resolution }) => {
  const check = (project: Project, text: string, types: string[]) => {
    const files = kinds.map((kind) => `user.${kind}`);
    for (const file of files) project.write(file, text);
    return project.typecheck({ ...resolution, verbatimModuleSyntax: false, types }, files);
  };

  it('check in a page that knows nothing of Node', () => {
    const modules = ['react', 'react-dom', '@types/react', '@types/react-dom'];
    const project = newProject({ modules });
    expect(check(project, BROWSER_USER, [])).toBe('');
  });

  it('check in an API server', () => {
    const project = newProject({ modules: ['@grpc/grpc-js', '@types/node'] });
    expect(check(project, NODE_USER, ['node'])).toBe('');
  });
});
