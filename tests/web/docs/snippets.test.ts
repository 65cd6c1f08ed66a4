// What holds for the code of every page: it is a file of a project, and a mistake in it is found.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { DOCS, ROOT } from '../support/paths.mjs';
import { Project } from '../support/project.mjs';
import { snippetsIn, snippetsOf, writeSnippets } from '../support/snippets.mjs';

const PAGES = readdirSync(DOCS).filter((name) => name.endsWith('.md'));
const OTHER_PAGES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'clients/demo/README.md'];

it.each(PAGES)('%s has no code that goes unchecked', (page) => {
  const files = snippetsOf(`docs/${page}`).map(({ file }) => file);
  expect(new Set(files).size).toBe(files.length);
  const lines = readFileSync(join(DOCS, page), 'utf8').split('\n');
  expect(lines.filter((line) => line.startsWith('```')).length % 2).toBe(0);
});

it.each([...PAGES.map((page) => `docs/${page}`), 'docs/adr/README.md', ...OTHER_PAGES])(
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

interface Readme {
  readonly page: string;
  readonly packages: readonly ('client' | 'react')[];
  readonly modules: readonly string[];
  readonly options: object;
  /** Puts a mistake into each of its files. */
  readonly mistaken: (text: string) => string;
}

const READMES: readonly Readme[] = [
  {
    page: 'clients/typescript/README.md',
    packages: ['client'],
    modules: ['@grpc/grpc-js', '@types/node'],
    options: { module: 'nodenext', types: ['node'] },
    mistaken: (text) => text.replace(/\.(lock|lockSeat|allShowtimes|goStale)\(/, '.$1Wrongly('),
  },
  {
    page: 'clients/react/README.md',
    packages: ['client', 'react'],
    modules: ['react', 'react-dom', '@types/react', '@types/react-dom'],
    // Its first file is written without types, as people know it.
    options: { module: 'preserve', moduleResolution: 'bundler', noImplicitAny: false },
    mistaken: (text) => text.replace(/\{ isConnected|onSelectionChange/, '$&Wrongly'),
  },
];

it.each(READMES)('$page checks against the packages, and a mistake in it is found', (readme) => {
  const project = new Project(readme);
  try {
    const snippets = writeSnippets(project, readme.page);
    project.write('styles.d.ts', "declare module '*.css';\n");
    for (const { file, text } of snippets) project.write(`broken.${file}`, readme.mistaken(text));
    const options = { ...readme.options, skipLibCheck: true };
    const found = project.typecheck(options, ['*.ts', '*.tsx']).split('\n');
    const errors = found.filter((line) => line.includes(': error TS'));
    const files = new Set(errors.map((line) => line.slice(0, line.indexOf('('))));
    expect(files).toEqual(new Set(snippets.map(({ file }) => `broken.${file}`)));
    expect(files.size).toBeGreaterThan(1);
  } finally {
    project.remove();
  }
});
