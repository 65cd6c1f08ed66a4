// What must hold of the built site: every link leads somewhere, and no page loads anything from
// elsewhere.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

const LINK = /<a\b[^>]*?\shref="([^"]*)"/g;
const ID = /\sid="([^"]*)"/g;
/** What a browser fetches by itself. */
const LOADED =
  /<(?:script|img|iframe|source|video)\b[^>]*?\ssrc="([^"]*)"|<link\b[^>]*?\shref="([^"]*)"/g;
const LOADED_BY_CSS = /(?:url\(|@import )["']?(https?:)?\/\/[^)"']*/g;

/** Throws with a line for each breach. */
export function checkSite(folder: string): void {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const breaches = [
    ...checkLinks(
      folder,
      files.filter((file) => file.endsWith('.html')),
    ),
    ...checkStyles(
      folder,
      files.filter((file) => file.endsWith('.css')),
    ),
  ];
  if (breaches.length > 0)
    throw new Error(`the site is not as it must be:\n${breaches.join('\n')}`);
}

function checkLinks(folder: string, files: readonly string[]): string[] {
  const texts = new Map(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
  const ids = new Map(
    [...texts].map(([file, text]) => [file, new Set(matches(text, ID).map(decoded))]),
  );
  return [...texts].flatMap(([file, text]) => [
    ...matches(text, LINK).flatMap((href) => deadLink(folder, file, decoded(href), ids)),
    ...matches(text, LOADED)
      .filter((url) => /^(?:[a-z]+:)?\/\//.test(url))
      .map((url) => `${file}: loads ${url}`),
  ]);
}

function deadLink(
  folder: string,
  file: string,
  href: string,
  ids: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  if (/^[a-z]+:/.test(href)) return [];
  const [path = '', anchor] = decodeURI(href).split('#');
  const target = targetOf(file, path);
  if (!existsSync(join(folder, target))) return [`${file}: a dead link: ${href}`];
  if (!anchor || !ids.has(target) || ids.get(target)?.has(anchor)) return [];
  return [`${file}: a link to a heading that is not there: ${href}`];
}

function targetOf(file: string, path: string): string {
  if (path === '') return file;
  const target = path.startsWith('/') ? path.slice(1) : posix.join(posix.dirname(file), path);
  return target === '' || target.endsWith('/') ? `${target}index.html` : target;
}

function checkStyles(folder: string, files: readonly string[]): string[] {
  return files.flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    return (text.match(LOADED_BY_CSS) ?? []).map((url) => `${file}: loads ${url}`);
  });
}

const matches = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? '');

const decoded = (text: string) =>
  text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&');
