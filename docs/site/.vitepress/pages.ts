// Which pages the site has, and in what order: each group is a part of the sidebar.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DefaultTheme } from 'vitepress';

export const ROOT = join(import.meta.dirname, '../../..');

/** Read before all others, at `/`. */
export const FIRST_PAGE = 'README.md';

/** A page is its path in the repository and, if its title is too long for a sidebar, a name. */
type Page = string | readonly [path: string, name: string];

const GROUPS: Readonly<Record<string, readonly Page[]>> = {
  Start: [[FIRST_PAGE, 'Start in a minute'], 'docs/concepts.md'],
  API: [
    ['docs/api.md', 'gRPC'],
    ['docs/websocket.md', 'WebSocket'],
  ],
  Clients: [
    ['docs/react.md', 'React'],
    ['docs/nextjs.md', 'Next.js'],
    ['docs/express.md', 'Express'],
    ['docs/subscriber.md', 'A subscriber'],
    'docs/other-languages.md',
    ['clients/typescript/README.md', '@seatlock/client'],
    ['clients/react/README.md', '@seatlock/react'],
    ['clients/demo/README.md', 'The demo site'],
  ],
  Deploying: [
    ['docs/deploying.md', 'Images and compose'],
    ['docs/debian.md', 'Debian and systemd'],
    'docs/kubernetes.md',
    ['docs/proxies.md', 'nginx and HAProxy'],
    'docs/security.md',
    ['SECURITY.md', 'Reporting a hole'],
  ],
  Operating: [
    'docs/operating.md',
    'docs/seatctl.md',
    'docs/metrics.md',
    'docs/runbook.md',
    'docs/tracing.md',
    'docs/loading.md',
  ],
  'How it is made': [
    'docs/guarantees.md',
    'ARCHITECTURE.md',
    ['docs/adr/README.md', 'Decisions'],
    'CHANGELOG.md',
    'CONTRIBUTING.md',
  ],
};

/** Records of decisions are many: the sidebar has their list alone. */
const isRecord = (path: string) => /^docs\/adr\/\d{4}-.*\.md$/.test(path);

function markdownFiles(): string[] {
  const listed = ['ls-files', '-co', '--exclude-standard', '--deduplicate', '--', '*.md'];
  return execFileSync('git', listed, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
}

const pathOf = (page: Page) => (typeof page === 'string' ? page : page[0]);

export interface Pages {
  /** Paths in the repository of all that become pages. */
  readonly paths: ReadonlySet<string>;
  /** Markdown that does not. */
  readonly others: readonly string[];
  readonly sidebar: DefaultTheme.SidebarItem[];
}

/** Throws if a page of docs/ is in no group, where nobody would find it, and if a page is gone. */
export function findPages(): Pages {
  const files = markdownFiles();
  const grouped = new Set(Object.values(GROUPS).flat().map(pathOf));
  const lost = files.filter(
    (path) => path.startsWith('docs/') && !isRecord(path) && !grouped.has(path),
  );
  if (lost.length > 0) {
    throw new Error(`in no group of docs/site/.vitepress/pages.ts: ${lost.join(' ')}: add it`);
  }
  const gone = [...grouped].filter((path) => !files.includes(path));
  if (gone.length > 0) {
    throw new Error(`docs/site/.vitepress/pages.ts: no such page: ${gone.join(' ')}`);
  }
  const paths = new Set(files.filter((path) => grouped.has(path) || isRecord(path)));
  const sidebar = Object.entries(GROUPS).map(([text, pages]) => ({
    text,
    items: pages.map(entry),
  }));
  return { paths, others: files.filter((path) => !paths.has(path)), sidebar };
}

function entry(page: Page): DefaultTheme.SidebarItem {
  const path = pathOf(page);
  return { text: typeof page === 'string' ? titleOf(path) : page[1], link: urlOf(path) };
}

function titleOf(path: string): string {
  return /^# (.+)$/m.exec(readFileSync(join(ROOT, path), 'utf8'))?.[1] ?? path;
}

/** Where a page is on the site. */
export function urlOf(path: string): string {
  return path === FIRST_PAGE ? '/' : `/${path.replace(/\.md$/, '.html')}`;
}
