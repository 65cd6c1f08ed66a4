// The files of deploy/nginx: origin.md's location block as it stands there, accepted by nginx, and
// what a site behind them is told of its callers.
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  checkNginx,
  type NginxPorts,
  nginxProgram,
  replaceOnce,
  writeNginxFiles,
} from './support/nginx.js';
import { repositoryPath } from './support/paths.js';
import { freePort, type Program } from './support/program.js';

const ORIGINAL_BLOCK = `# WebSocket proxy
location /ws/ {
    proxy_pass http://localhost:8080;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_set_header Host $host;
}
`;

// What we add to it: whose connection it is.
const ADDED = '    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n';

let folder: string;
let ports: NginxPorts;
let echo: Server;
let nginx: Program;

// A site, and an edge, that answer with the headers that they were asked with.
async function startEcho(): Promise<Server> {
  const server = createServer((request, answer) => answer.end(JSON.stringify(request.headers)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seatlock-nginx-'));
  echo = await startEcho();
  const { port } = echo.address() as AddressInfo;
  ports = { listen: await freePort(), site: port, edge: port };
  await writeNginxFiles(folder, ports);
  nginx = nginxProgram(folder, ports);
  await nginx.start();
});

afterAll(async () => {
  await nginx?.stop();
  echo?.close();
  await rm(folder, { recursive: true, force: true });
});

async function headersAt(path: string): Promise<Record<string, string>> {
  const answer = await fetch(`http://127.0.0.1:${ports.listen}${path}`);
  return (await answer.json()) as Record<string, string>;
}

test('the location block is the one of the setup that people know, and one line more', async () => {
  const shipped = await readFile(repositoryPath('deploy/nginx/seat-updates.conf'), 'utf8');
  const file = replaceOnce(shipped, ADDED, '');
  expect(file).toContain(ORIGINAL_BLOCK);
  expect(file.replace(ORIGINAL_BLOCK, '')).not.toMatch(/^[^#\n]/m);
});

test('docs/operating.md shows the same block', async () => {
  const page = await readFile(repositoryPath('docs/operating.md'), 'utf8');
  const shown = ORIGINAL_BLOCK.replace(/}\n$/, `${ADDED}}\n`);
  const block = shown.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(page).toContain(block.map((line) => `    ${line}`).join('\n'));
});

test('nginx -t accepts the files', async () => {
  expect(await checkNginx(folder)).toContain('test is successful');
});

test('control: nginx -t refuses a file with a wrong directive', async () => {
  const file = join(folder, 'snippets/seat-updates.conf');
  const good = await readFile(file, 'utf8');
  await writeFile(file, replaceOnce(good, 'proxy_pass', 'proxy_passes'));
  await expect(checkNginx(folder)).rejects.toThrow('unknown directive "proxy_passes"');
  await writeFile(file, good);
});

test('the site is told the host with its port, the address and the scheme', async () => {
  expect(await headersAt('/api/seat-locks')).toMatchObject({
    host: `127.0.0.1:${ports.listen}`,
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
  });
});

test('the edge is asked for an upgrade, and told the address', async () => {
  const asked = await headersAt('/ws/seat-updates');
  expect(asked).toMatchObject({
    connection: 'upgrade',
    host: '127.0.0.1',
    'x-forwarded-for': '127.0.0.1',
  });
});
