// nginx with the files of deploy/nginx, ports aside, run without privileges from a folder.
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryPath } from './paths.js';
import { Program } from './program.js';

const NGINX = process.env.SEATLOCK_NGINX ?? '/usr/sbin/nginx';

/** Which ports take the place of those in the files. */
export interface NginxPorts {
  readonly listen: number;
  readonly site: number;
  readonly edge: number;
  /** With a second edge, deploy/nginx/seatlock-edges.conf is in force. */
  readonly secondEdge?: number;
}

/** The text with `from`, which stands in it once, replaced. */
export function replaceOnce(text: string, from: string, to: string): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`${parts.length - 1} times instead of once: ${from}`);
  return parts.join(to);
}

// What /etc/nginx/nginx.conf is on a server: where logs and temporary files go.
function mainFile(several: boolean): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `${user}
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
    access_log off;
    ${places.map((place) => `${place}_temp_path ${place};`).join('\n    ')}
    ${several ? 'include conf.d/seatlock-edges.conf;' : ''}
    include sites-enabled/seatlock.conf;
}
`;
}

const ours = (name: string) => readFile(repositoryPath(`deploy/nginx/${name}`), 'utf8');

/** Lays the files out in `folder` as on a server. */
export async function writeNginxFiles(folder: string, ports: NginxPorts): Promise<void> {
  await mkdir(join(folder, 'snippets'), { recursive: true });
  await mkdir(join(folder, 'sites-enabled'), { recursive: true });
  let site = replaceOnce(await ours('seatlock.conf'), 'listen 80;', `listen ${listen(ports)};`);
  site = replaceOnce(site, '127.0.0.1:3000', `127.0.0.1:${ports.site}`);
  const edges = ports.secondEdge === undefined ? `localhost:${ports.edge}` : 'seatlock_edges';
  const updates = replaceOnce(await ours('seat-updates.conf'), 'localhost:8080', edges);
  await writeFile(join(folder, 'sites-enabled/seatlock.conf'), site);
  await writeFile(join(folder, 'snippets/seat-updates.conf'), updates);
  if (ports.secondEdge !== undefined) await writeEdges(folder, ports.edge, ports.secondEdge);
  await writeFile(join(folder, 'nginx.conf'), mainFile(ports.secondEdge !== undefined));
}

async function writeEdges(folder: string, first: number, second: number): Promise<void> {
  let edges = await ours('seatlock-edges.conf');
  edges = replaceOnce(edges, 'server 127.0.0.1:8080 ', `server 127.0.0.1:${first} `);
  edges = replaceOnce(edges, 'server 127.0.0.1:8081 ', `server 127.0.0.1:${second} `);
  await mkdir(join(folder, 'conf.d'), { recursive: true });
  await writeFile(join(folder, 'conf.d/seatlock-edges.conf'), edges);
}

function listen(ports: NginxPorts): string {
  return `127.0.0.1:${ports.listen}`;
}

function flags(folder: string): string[] {
  return ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
}

/** `nginx -t`: rejects with what it says where it finds fault. */
export async function checkNginx(folder: string): Promise<string> {
  const { stderr } = await promisify(execFile)(NGINX, [...flags(folder), '-t']);
  return stderr;
}

/** nginx on the files that `writeNginxFiles` wrote; ready once the site answers through it. */
export function nginxProgram(folder: string, ports: NginxPorts, readyPath = '/'): Program {
  return new Program({
    name: 'nginx',
    command: NGINX,
    args: [...flags(folder), '-g', 'daemon off;'],
    readyUrl: `http://${listen(ports)}${readyPath}`,
  });
}
