// How our Markdown, written to be read on a code host too, becomes pages.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';
import { FIRST_PAGE, type Pages, ROOT, urlOf } from './pages.ts';
import { wantSource } from './sources.ts';

/** What code hosts make of a heading, so that one link is right in both places. */
export function slugOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

type Env = { relativePath?: string };
type Token = ReturnType<MarkdownRenderer['parse']>[number];

/** Turns links to files into links to pages, names of tests into links to their source. */
export function configureMarkdown(md: MarkdownRenderer, pages: Pages): void {
  md.linkify.set({ fuzzyLink: false }); // README.md is no address, whatever .md is
  const tests = findTests();
  md.core.ruler.push('seatlock-links', ({ tokens, env }) => {
    const page = pageOf(env as Env);
    for (const token of tokens) {
      const { children } = token;
      // The theme has no style for indented blocks, which would run off a phone's screen.
      if (token.type === 'code_block') Object.assign(token, { type: 'fence', info: 'text' });
      for (const child of children ?? []) {
        if (child.type === 'link_open') relink(child, page, pages);
      }
      if (page === 'docs/guarantees.md' && children) linkTests(children, tests);
    }
  });
}

const pageOf = ({ relativePath = '' }: Env) =>
  relativePath === 'index.md' ? FIRST_PAGE : relativePath;

function relink(token: Token, page: string, pages: Pages): void {
  const href = token.attrGet('href') ?? '';
  if (/^([a-z]+:|#)/.test(href)) return;
  const [target = '', anchor] = decodeURI(href).split('#');
  const path = posix.join(posix.dirname(page), target).replace(/\/$/, '');
  const index = `${path}/README.md`;
  const end = anchor === undefined ? '' : `#${anchor}`;
  if (pages.paths.has(path)) token.attrSet('href', urlOf(path) + end);
  else if (pages.paths.has(index)) token.attrSet('href', urlOf(index) + end);
  else if (existsSync(join(ROOT, path))) toSource(token, encodeURI(wantSource(path)));
  else throw new Error(`${page}: a dead link: ${href}`);
}

/** Sources are no pages of the site's own: the browser loads them itself. */
function toSource(token: Token, url: string): void {
  token.attrSet('href', url);
  token.attrSet('target', '_self');
}

type Tests = ReadonlyMap<string, { path: string; line: number }>;

/** Where each C++ test is defined, by `Suite.Test`. */
function findTests(): Tests {
  const listed = ['ls-files', '-co', '--exclude-standard', '--', '*_test.cc'];
  const files = execFileSync('git', listed, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  const defined = /(?:TEST(?:_F|_P)?|RC_GTEST_PROP)\(\s*(\w+)\s*,\s*(\w+)/g;
  const tests = new Map<string, { path: string; line: number }>();
  for (const path of files.filter((file) => existsSync(join(ROOT, file)))) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    for (const match of text.matchAll(defined)) {
      const line = text.slice(0, match.index).split('\n').length;
      tests.set(`${match[1]}.${match[2]}`, { path, line });
    }
  }
  return tests;
}

function linkTests(tokens: Token[], tests: Tests): void {
  for (let at = tokens.length - 1; at >= 0; at--) {
    const token = tokens[at];
    if (token?.type !== 'code_inline') continue;
    const url = testUrl(token.content, tests);
    if (url === undefined) continue;
    const open = new (token.constructor as new (...words: unknown[]) => Token)('link_open', 'a', 1);
    toSource(open, url);
    const close = new (token.constructor as new (...words: unknown[]) => Token)(
      'link_close',
      'a',
      -1,
    );
    tokens.splice(at, 1, open, token, close);
  }
}

/** Of `Suite.Test` in C++, `x.test.ts#title` on the npm side, `x_test.py#test_name` in Python. */
function testUrl(name: string, tests: Tests): string | undefined {
  const cpp = tests.get(name);
  if (cpp) return wantSource(cpp.path, cpp.line);
  const [path = '', title = ''] = name.split(/#(.*)/s);
  if (!/\.(tsx?|py)$/.test(path) || title === '' || !existsSync(join(ROOT, path))) return undefined;
  const begin = path.endsWith('.py') ? `def ${title}(` : `'${title}'`;
  const before = readFileSync(join(ROOT, path), 'utf8').split(begin)[0] ?? '';
  return wantSource(path, before.split('\n').length);
}
