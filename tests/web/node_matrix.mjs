// Runs the packed packages on every version of Node that they are for: node_smoke.mjs in a user's
// project, beside a real seat service. The versions that this machine lacks come from npm.
//
//   node tests/web/node_matrix.mjs

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './support/paths.mjs';
import { startService } from './support/programs.mjs';
import { Project } from './support/project.mjs';

// The newest of each line. The oldest that the packages say they run on is the machine's own.
const VERSIONS = ['22.23.3', '24.9.0'];
const OLDEST = 20;

/** @param {string} version @returns {string} the program */
function nodeOf(version) {
  const folder = join(ROOT, `build/node-${version.split('.')[0]}`);
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

/** @param {string} program @param {Project} project @param {string} address */
function tryOn(program, project, address) {
  const started = Date.now();
  const { code, output } = project.run(['node_smoke.mjs', address], program);
  const took = ((Date.now() - started) / 1000).toFixed(1);
  const said = code === 0 ? '' : `\n${output}`;
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} Node ${versionOf(program)} (${took} s)${said}`);
  return code === 0;
}

const own = Number(process.versions.node.split('.')[0]);
if (own < OLDEST) throw new Error(`this is Node ${process.version}: the packages want ${OLDEST}`);
const programs = [process.execPath, ...VERSIONS.map(nodeOf)];

const project = new Project({ modules: ['@grpc/grpc-js', 'react', 'react-dom'] });
const service = await startService();
try {
  const smoke = fileURLToPath(new URL('node_smoke.mjs', import.meta.url));
  copyFileSync(smoke, project.path('node_smoke.mjs'));
  const results = programs.map((program) => tryOn(program, project, service.address));
  process.exitCode = results.every(Boolean) ? 0 : 1;
} finally {
  await service.stop();
  project.remove();
}
