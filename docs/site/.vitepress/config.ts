// The docs site: README.md, docs/ and the comments of proto/, which stay where they are.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';
import { apiReference } from './api.ts';
import { checkSite } from './check.ts';
import { configureMarkdown, slugOf } from './markdown.ts';
import { FIRST_PAGE, findPages, ROOT } from './pages.ts';
import { isSource, sourceAt, writeSources } from './sources.ts';

const OUT = join(ROOT, 'build/docs');
const pages = findPages();

// docs/api.md takes it in.
mkdirSync(join(ROOT, 'build/docs-api'), { recursive: true });
writeFileSync(join(ROOT, 'build/docs-api/reference.md'), apiReference(ROOT));

/** What search finds: words, and names such as request_id whole. It runs in browsers, alone. */
const wordsOf = (text: string) => text.split(/[^\p{L}\p{N}_]+/u);

export default defineConfig({
  title: 'SeatLock',
  description: 'Two people never get the same seat, and everybody who looks sees each change.',
  lang: 'en',
  srcDir: ROOT,
  srcExclude: [...pages.others, '{build,var}/**'],
  rewrites: { [FIRST_PAGE]: 'index.md' },
  outDir: OUT,
  cacheDir: join(ROOT, 'build/docs-cache'),
  // Without it browsers ask for /favicon.ico, which is not there.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  markdown: {
    anchor: { slugify: slugOf },
    config: (md) => configureMarkdown(md, pages),
  },
  themeConfig: {
    sidebar: pages.sidebar,
    outline: { level: [2, 3] },
    search: { provider: 'local', options: { miniSearch: { options: { tokenize: wordsOf } } } },
  },
  vite: {
    server: { watch: { ignored: ['build', 'var'].map((name) => `${join(ROOT, name)}/**`) } },
    plugins: [
      {
        // Pages lie outside of this folder, and ask for Vue where they lie.
        name: 'seatlock-vue',
        enforce: 'pre',
        resolveId(id, _importer, options) {
          if (!/^vue(\/|$)/.test(id)) return null;
          // Node renders from a folder in here, and finds it by itself.
          if (options.ssr) return { id, external: true };
          return this.resolve(id, import.meta.filename, { ...options, skipSelf: true });
        },
      },
      {
        name: 'seatlock-sources',
        configureServer: (server) => {
          server.middlewares.use((request, response, next) => {
            const url = request.url ?? '';
            const page = isSource(url) ? sourceAt(url) : undefined;
            if (page === undefined) return next();
            response.setHeader('Content-Type', 'text/html; charset=utf-8');
            response.end(page);
          });
        },
      },
    ],
  },
  buildEnd: () => {
    writeSources(OUT);
    checkSite(OUT);
  },
});
