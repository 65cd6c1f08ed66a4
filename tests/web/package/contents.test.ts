// What the packed tarballs hold, and what the linters of packages say of them.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT, tarball } from '../support/paths.mjs';
import { Project, unpack } from '../support/project.mjs';

function attw(file: string) {
  const program = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  // Resolution before Node 16 knows no subpaths, and a style sheet has no types.
  const flags = ['--profile', 'node16', '--exclude-entrypoints', './styles.css', '--no-emoji'];
  const ran = spawnSync(process.execPath, [program, file, ...flags], { encoding: 'utf8' });
  return { status: ran.status, output: ran.stdout + ran.stderr };
}

let project: Project;
beforeAll(() => {
  project = new Project();
  return () => project.remove();
});

interface Manifest {
  readonly license: string;
  readonly dependencies?: Record<string, string>;
}

describe.each(['client', 'react'] as const)('the packed @seatlock/%s', (name) => {
  const folder = () => project.path(`node_modules/@seatlock/${name}`);
  const text = (file: string) => readFileSync(join(folder(), file), 'utf8');
  const manifest = () => JSON.parse(text('package.json')) as Manifest;

  it('holds what was built, a README, the licence, and nothing else', () => {
    const held = readdirSync(folder()).sort();
    expect(held).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    const built = readdirSync(join(folder(), 'dist'), { recursive: true }).map(String);
    expect(built.filter((file) => !/\.(js|cjs|d\.ts|d\.cts|css)$/.test(file))).toEqual([]);
  });

  it('has the licence of the repository', () => {
    expect(manifest().license).toBe('Apache-2.0');
    expect(text('LICENSE')).toBe(readFileSync(join(ROOT, 'LICENSE'), 'utf8'));
  });

  it('depends on nothing of others', () => {
    const others = Object.keys(manifest().dependencies ?? {});
    expect(others).toEqual(name === 'react' ? ['@seatlock/client'] : []);
  });

  it('has a README whose links stay within it or lead to the web', () => {
    const links = [...text('README.md').matchAll(/\]\(([^)#]+)/g)].map((match) => match[1] ?? '');
    const broken = links.filter(
      (link) => !/^https?:/.test(link) && !existsSync(join(folder(), link)),
    );
    expect(broken).toEqual([]);
  });

  it('is clean for publint', async () => {
    const { messages } = await publint({
      pkgDir: folder(),
      pack: false, // what is there was packed already
      level: 'suggestion',
      strict: true,
    });
    const manifestForWords = JSON.parse(text('package.json'));
    expect(messages.map((message) => formatMessage(message, manifestForWords))).toEqual([]);
  });

  it('is clean for arethetypeswrong', () => {
    const { status, output } = attw(tarball(name));
    expect(status, output).toBe(0);
  });
});

it('publint finds a package whose entry is missing', async () => {
  const broken = { name: 'broken', version: '1.0.0', type: 'module', exports: './gone.js' };
  const folder = project.path('broken');
  project.write('broken/package.json', JSON.stringify(broken));
  const { messages } = await publint({ pkgDir: folder, pack: false });
  expect(messages.map((message) => message.code)).toContain('FILE_DOES_NOT_EXIST');
});

it('arethetypeswrong finds a package that lost the types of an entry', () => {
  unpack(tarball('client'), project.path('wrong/package'));
  rmSync(project.path('wrong/package/dist/node.d.cts'));
  const file = project.path('wrong.tgz');
  execFileSync('tar', ['-czf', file, '-C', project.path('wrong'), 'package']);
  const { status, output } = attw(file);
  expect(status, output).toBe(1);
  expect(output).toContain('@seatlock/client/node');
});
