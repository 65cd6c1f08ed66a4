// docs/react.md: its project is checked, and its own tests are run as a user runs them, with one
// more for the snippet that people know.

import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { ROOT } from '../support/paths.mjs';
import { Project } from '../support/project.mjs';
import { writeSnippets } from '../support/snippets.mjs';

const MODULES = [
  ...['react', 'react-dom', '@types/react', '@types/react-dom', '@types/node'],
  ...['vite', 'vitest', 'jsdom', '@testing-library/react', '@testing-library/dom'],
];
const OPTIONS = {
  module: 'esnext',
  moduleResolution: 'bundler',
  skipLibCheck: true,
  types: ['node', 'vite/client'],
  paths: { '@/*': ['./src/*'] },
};

// The hook, as origin.md's component uses it, and the parts of the page that no test of it renders.
const MORE_TESTS = `
import { FakeSeatServer } from '@seatlock/client/testing';
import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Row } from './OneSeat';
import SeatStatus from './SeatStatus';

let server;
let uninstall;
beforeEach(() => {
  server = new FakeSeatServer();
  uninstall = server.install();
});
afterEach(() => {
  cleanup();
  uninstall();
});

test('the status is shown, and each update reaches the callback', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  const { container } = render(<SeatStatus showtimeId="123" />);
  await screen.findByText('Connected');
  expect(container.querySelector('.status.connected')).not.toBeNull();
  server.lock('123', ['A06'], 'somebody');
  await vi.waitFor(() => expect(log).toHaveBeenCalledTimes(1));
  expect(log.mock.calls[0][1]).toMatchObject({ seatId: 'A06', status: 'locked', cause: 'lock' });
  server.refuseConnections(true);
  server.closeAll(1006);
  await screen.findByText('Connection error');
  expect(container.querySelector('.status.disconnected')).not.toBeNull();
  server.refuseConnections(false);
  await screen.findByText('Connected', {}, { timeout: 20_000 });
  log.mockRestore();
});

test('seats of a grid of your own change by themselves', async () => {
  server.book('123', ['A01']);
  render(<Row showtimeId="123" seatIds={['A01', 'A02']} />);
  await screen.findByText('A01: booked');
  await act(async () => server.lock('123', ['A02'], 'somebody'));
  await screen.findByText('A02: locked');
  expect(server.connections).toBe(1);
});

test('the page starts', async () => {
  document.body.innerHTML = '<div id="root"></div>';
  await act(() => import('./main'));
  await screen.findByText('Chosen: none');
});
`;

const VITEST_CONFIG = `
import { defineConfig } from 'vitest/config';
export default defineConfig({
  resolve: { alias: { '@': new URL('./src', import.meta.url).pathname } },
  test: { environment: 'jsdom', testTimeout: 60_000, setupFiles: 'setup.ts' },
});
`;

// A busy machine is slower than the second that is the default.
const SETUP = `
import { configure } from '@testing-library/react';
configure({ asyncUtilTimeout: 15_000 });
`;

let project: Project;
let loose: string[];
beforeAll(() => {
  project = new Project({ modules: MODULES });
  const snippets = writeSnippets(project, 'docs/react.md');
  loose = snippets.filter((snippet) => snippet.loose).map(({ file }) => file);
  return () => project.remove();
});

it('checks', () => {
  const strict = { ...OPTIONS, noImplicitAny: true };
  const rest = ['src/main.tsx', 'src/App.test.tsx', 'src/OneSeat.tsx'];
  expect(project.typecheck(strict, ['vite.config.ts', ...rest])).toBe('');
});

it('checks what is written without types, as far as that goes', () => {
  expect(loose).toEqual(['src/SeatStatus.tsx']);
  const broken = 'src/Broken.tsx';
  project.write(
    broken,
    `import { useWebSocketSeatUpdates } from '@/hooks/useWebSocketSeatUpdates';
     export const wrong = () => useWebSocketSeatUpdates(123);`,
  );
  const found = project.typecheck({ ...OPTIONS, noImplicitAny: false }, [...loose, broken]);
  expect(found).toMatch(/^src\/Broken\.tsx\(2,\d+\): error TS2345[^\n]*\n$/);
});

it('passes its own tests, and those of the snippet that people know', () => {
  project.write('vitest.config.ts', VITEST_CONFIG);
  project.write('setup.ts', SETUP);
  project.write('src/SeatStatus.test.jsx', MORE_TESTS);
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const ran = project.run([vitest, 'run', '--config', 'vitest.config.ts', '--reporter=verbose']);
  expect(ran.code, ran.output).toBe(0);
  expect(ran.output).toMatch(/Tests +5 passed/);
});
