// Files of the repository that pages link to and that are no pages: the site has them as they are,
// with numbered lines, under /source/.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './pages.ts';

const URL_PREFIX = '/source/';
/** A file with no Markdown has its name; `a/b` and `a/b.html` must not be one. */
const SUFFIX = '.html';

export const isSource = (url: string) => url.startsWith(URL_PREFIX);
export const sourceUrl = (path: string) => `${URL_PREFIX}${path}${SUFFIX}`;

/** What pages have linked to since the build began. */
const wanted = new Set<string>();

/** The address of a file or folder, which the site has from now on. */
export function wantSource(path: string, line?: number): string {
  wanted.add(path);
  return sourceUrl(path) + (line === undefined ? '' : `#L${line}`);
}

/** Writes them, and all that folders among them lead to. */
export function writeSources(folder: string): void {
  for (const path of wanted) {
    // Making a folder's page wants its files, which this loop then comes to.
    const file = join(folder, URL_PREFIX, path + SUFFIX);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, sourcePage(path));
  }
}

/** The page of an address, for a server that has no written ones; nothing if there is none. */
export function sourceAt(url: string): string | undefined {
  const path = decodeURI(
    url
      .slice(URL_PREFIX.length)
      .replace(/[#?].*$/, '')
      .slice(0, -SUFFIX.length),
  );
  return wanted.has(path) ? sourcePage(path) : undefined;
}

function sourcePage(path: string): string {
  const isFolder = statSync(join(ROOT, path)).isDirectory();
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(path)}</title>
<style>
:root { color-scheme: light dark; font: 14px/1.5 ui-monospace, monospace; }
body { margin: 1.5rem; }
pre { counter-reset: line; }
pre span::before { counter-increment: line; content: counter(line); display: inline-block;
  width: 3em; margin-right: 1em; text-align: right; opacity: .5; }
pre span:target { background: color-mix(in srgb, gold 30%, transparent); }
</style>
<h1>${escaped(path)}</h1>
${isFolder ? folderList(path) : fileLines(path)}
</html>
`;
}

function fileLines(path: string): string {
  const lines = readFileSync(join(ROOT, path), 'utf8').replace(/\n$/, '').split('\n');
  const numbered = lines.map((line, at) => `<span id="L${at + 1}">${escaped(line)}</span>`);
  return `<pre>${numbered.join('\n')}</pre>`;
}

function folderList(path: string): string {
  const listed = ['ls-files', '-co', '--exclude-standard', '--deduplicate', '--', path];
  const files = execFileSync('git', listed, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  const items = files.map(
    (file) => `<li><a href="${encodeURI(wantSource(file))}">${escaped(file)}</a></li>`,
  );
  return `<ul>\n${items.join('\n')}\n</ul>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
