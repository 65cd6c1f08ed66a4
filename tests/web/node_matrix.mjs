// Runs the packed packages on every version of Node that they are for: node_smoke.mjs in a user's
// project, beside a real seat service; then the client's own tests, which run on this machine's
// Node anyway, on the others. The versions that this machine lacks come from npm.
//
//   node tests/web/node_matrix.mjs

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './support/paths.mjs';
import { startService } from './support/programs.mjs';
import { Project } from './support/project.mjs';

// The newest of each line; of the machine's own line, its own.
const VERSIONS = ['20.20.2', '22.23.3', '24.9.0'];

/** @param {string} version */
const lineOf = (version) => version.split('.')[0];

/** @param {string} version @returns {string} the program */
function nodeOf(version) {
  const folder = join(ROOT, `build/node-${lineOf(version)}`);
  const name = `node-linux-${process.arch}`;
  const program = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(program) && versionOf(program) === version) return program;
  const flags = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['install', '--prefix', folder, ...flags, `${name}@${version}`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return program;
}

/** @param {string} program */
function versionOf(program) {
  return execFileSync(program, ['--version'], { encoding: 'utf8' }).trim().replace('v', '');
}

/**
 * Says how it went; all that was said only where it failed.
 * @param {string} what @param {string} program
 * @param {() => import('./support/project.mjs').Ran} run
 */
function report(what, program, run) {
  const started = Date.now();
  const { code, output } = run();
  const took = ((Date.now() - started) / 1000).toFixed(1);
  const said = code === 0 ? '' : `\n${output}`;
  const word = code === 0 ? 'ok    ' : 'FAILED';
  console.log(`${word} ${what}, Node ${versionOf(program)} (${took} s)${said}`);
  return code === 0;
}

/** @param {string} program @returns {import('./support/project.mjs').Ran} */
function runUnitTests(program) {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const cwd = join(ROOT, 'clients/typescript');
  const ran = spawnSync(program, [vitest, 'run'], { cwd, encoding: 'utf8' });
  return { code: ran.status ?? 128, output: ran.stdout + ran.stderr };
}

const others = VERSIONS.filter((version) => lineOf(version) !== lineOf(process.versions.node));
const programs = [process.execPath, ...others.map(nodeOf)];

const project = new Project({ modules: ['@grpc/grpc-js', 'react', 'react-dom'] });
const service = await startService();
try {
  const smoke = fileURLToPath(new URL('node_smoke.mjs', import.meta.url));
  copyFileSync(smoke, project.path('node_smoke.mjs'));
  const smoked = programs.map((program) =>
    report('packed packages', program, () =>
      project.run(['node_smoke.mjs', service.address], program),
    ),
  );
  const tested = programs
    .slice(1)
    .map((program) => report("the client's tests", program, () => runUnitTests(program)));
  const results = [...smoked, ...tested];
  process.exitCode = results.every(Boolean) ? 0 : 1;
} finally {
  await service.stop();
  project.remove();
}
