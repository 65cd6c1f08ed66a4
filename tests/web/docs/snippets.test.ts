// What holds for the code of every page: it is a file of a project, and a mistake in it is found.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { DOCS, ROOT } from '../support/paths.mjs';
import { Project } from '../support/project.mjs';
import { snippetsIn, snippetsOf, writeSnippets } from '../support/snippets.mjs';

const PAGES = readdirSync(DOCS).filter((name) => name.endsWith('.md'));
const README = 'clients/typescript/README.md';

it.each(PAGES)('%s has no code that goes unchecked', (page) => {
  const files = snippetsOf(`docs/${page}`).map(({ file }) => file);
  expect(new Set(files).size).toBe(files.length);
  const lines = readFileSync(join(DOCS, page), 'utf8').split('\n');
  expect(lines.filter((line) => line.startsWith('```')).length % 2).toBe(0);
});

it.each([...PAGES.map((page) => `docs/${page}`), 'README.md', 'ARCHITECTURE.md'])(
  'what %s links to is there',
  (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#\s]+)/g)].map((match) => match[1] ?? '');
    const own = links.filter((link) => !/^https?:/.test(link));
    expect(own.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([]);
  },
);

it('code without a file is found', () => {
  expect(snippetsIn('```ts file=a.ts\nx;\n```\n', 'p')).toEqual([
    { file: 'a.ts', text: 'x;\n', loose: false },
  ]);
  expect(() => snippetsIn('```ts\nx;\n```\n', 'p')).toThrow('without file=');
});

it.each(PAGES)('no line of code of %s is too long for its readers', (page) => {
  const long = snippetsOf(`docs/${page}`).flatMap(({ file, text }) =>
    text
      .split('\n')
      .filter((line) => line.length > 100)
      .map((line) => `${file}: ${line}`),
  );
  expect(long).toEqual([]);
});

it('the README of the package checks against the package, and a mistake in it is found', () => {
  const modules = ['@grpc/grpc-js', '@types/node'];
  const project = new Project({ packages: ['client'], modules });
  try {
    const snippets = writeSnippets(project, README);
    const options = { module: 'nodenext', types: ['node'], skipLibCheck: true };
    for (const { file, text } of snippets) {
      const mistaken = text.replace(/\.(lock|lockSeat|goStale)\(/, '.$1Wrongly(');
      project.write(`broken.${file}`, mistaken);
    }
    const found = project.typecheck(options, ['*.ts']).split('\n');
    const errors = found.filter((line) => line.includes(': error TS'));
    const files = new Set(errors.map((line) => line.slice(0, line.indexOf('('))));
    expect(files).toEqual(new Set(snippets.map(({ file }) => `broken.${file}`)));
  } finally {
    project.remove();
  }
});
