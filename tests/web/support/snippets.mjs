// The code in our pages: fences that say which file they are, such as ```ts file=server.ts```. They
// are written into a user's project, checked there, and run.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './paths.mjs';

/** Languages of which every fence must be a file, so that none goes unchecked. */
const CHECKED = new Set(['ts', 'tsx', 'js', 'jsx', 'mjs', 'typescript', 'javascript']);
const FENCE = /^```(\S*)[ \t]*(.*)\n([\s\S]*?)^```$/gm;

/**
 * @typedef {object} Snippet
 * @property {string} file
 * @property {boolean} loose checked without strictness: it is written as people write JavaScript
 * @property {string} text
 */

/** @param {string} page its path in the repository @returns {Snippet[]} */
export function snippetsOf(page) {
  return snippetsIn(readFileSync(join(ROOT, page), 'utf8'), page);
}

/** @param {string} markdown @param {string} page for the error @returns {Snippet[]} */
export function snippetsIn(markdown, page) {
  const snippets = [];
  for (const [, language = '', words = '', text = ''] of markdown.matchAll(FENCE)) {
    const file = /(?:^|\s)file=(\S+)/.exec(words)?.[1];
    if (file !== undefined) snippets.push({ file, text, loose: /(?:^|\s)loose$/.test(words) });
    else if (CHECKED.has(language)) {
      throw new Error(`${page}: a ${language} fence without file=: ${text.slice(0, 60)}`);
    }
  }
  return snippets;
}

/**
 * Writes a page's files into a project.
 * @param {import('./project.mjs').Project} project @param {string} page
 */
export function writeSnippets(project, page) {
  const snippets = snippetsOf(page);
  for (const { file, text } of snippets) project.write(file, text);
  return snippets;
}

/**
 * Turns a project's TypeScript into JavaScript, file by file, under `out/`.
 * @param {import('./project.mjs').Project} project @param {readonly Snippet[]} snippets
 */
export async function compile(project, snippets) {
  await build({
    entryPoints: snippets.map(({ file }) => project.path(file)),
    outdir: project.path('out'),
    outbase: project.folder,
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
  });
}
