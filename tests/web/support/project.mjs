// A project of a user, in a folder of its own: the packed packages unpacked into its node_modules,
// and only those others that it says it depends on.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT, tarball } from './paths.mjs';

const COMMAND_MS_MAX = 100_000;

/**
 * @typedef {object} Ran
 * @property {number} code what the command ended with
 * @property {string} output both of its streams
 */

/**
 * @typedef {object} ProjectOptions
 * @property {readonly ('client' | 'react')[]} [packages] of ours [both]
 * @property {readonly string[]} [modules] others, by name, such as `@types/node`
 * @property {readonly string[]} [from] folders whose node_modules have them [the repository's]
 */

/** A folder that looks like a user's project. Whoever makes one removes it. */
export class Project {
  folder = mkdtempSync(join(tmpdir(), 'seatlock-project-'));

  /** @param {ProjectOptions} [options] */
  constructor({ packages = ['client', 'react'], modules = [], from = ['.'] } = {}) {
    this.write('package.json', JSON.stringify({ name: 'a-user', type: 'module', private: true }));
    for (const name of packages) unpack(tarball(name), this.path(`node_modules/@seatlock/${name}`));
    for (const name of modules) this.link(name, from);
  }

  /** @param {string} name */
  path(name) {
    return join(this.folder, name);
  }

  /** @param {string} name @param {string} text */
  write(name, text) {
    const file = this.path(name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /**
   * Makes an installed package this project's too.
   * @param {string} name @param {readonly string[]} from
   */
  link(name, from) {
    const places = from.map((folder) => join(ROOT, folder, 'node_modules', name));
    const found = places.find((place) => existsSync(place));
    if (!found) throw new Error(`${name} is in none of: ${places.join(', ')}`);
    const link = this.path(`node_modules/${name}`);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(found, link, 'dir');
  }

  /**
   * Runs a script of the project.
   * @param {readonly string[]} args @param {string} [node] @returns {Ran}
   */
  run(args, node = process.execPath) {
    const ran = spawnSync(node, args, {
      cwd: this.folder,
      encoding: 'utf8',
      timeout: COMMAND_MS_MAX,
      env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', FORCE_COLOR: undefined },
    });
    if (ran.error) throw ran.error;
    return { code: ran.status ?? 128, output: ran.stdout + ran.stderr };
  }

  /**
   * Type-checks the project strictly; the output is empty where all is well.
   * @param {object} compilerOptions @param {readonly string[]} [include]
   */
  typecheck(compilerOptions, include = ['**/*']) {
    const options = { ...STRICT, ...compilerOptions };
    this.write('tsconfig.json', JSON.stringify({ compilerOptions: options, include }));
    return this.run([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.']).output;
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// As strict as a user's project may be; also within the declarations of the packages.
const STRICT = {
  target: 'ES2022',
  lib: ['ES2022', 'DOM', 'DOM.Iterable'],
  jsx: 'react-jsx',
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  skipLibCheck: false,
  noEmit: true,
  types: [],
};

/** @param {string} file @param {string} folder */
export function unpack(file, folder) {
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', file, '-C', folder, '--strip-components=1']);
}
