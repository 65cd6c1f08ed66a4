// Debian's chromium under playwright, and a recorder that hears all that its pages say: frames of
// WebSockets, the console, errors. Nothing that a recorder did not allow may have gone wrong.
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type ConsoleMessage,
  chromium,
  type Page,
  type WebSocket,
} from 'playwright-core';
import { FrameLog } from './frames.js';

const CHROMIUM = process.env.SEATLOCK_CHROMIUM ?? '/usr/bin/chromium';
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: QUIET });
}

/** Hears all pages of one browser context: one person's browser. */
export class Recorder {
  readonly sockets: FrameLog[] = [];
  private readonly complaints: string[] = [];
  private readonly allowed: RegExp[] = [];

  constructor(
    readonly context: BrowserContext,
    private readonly batch = false,
  ) {
    context.on('page', (page) => this.hear(page));
  }

  /** What the console says of this is no fault: a test breaks something on purpose. */
  allow(...patterns: RegExp[]): void {
    this.allowed.push(...patterns);
  }

  /** All that went wrong and was not allowed; empty: nothing. */
  breaches(): string[] {
    const frames = this.sockets.flatMap((log) => log.breaches.map((b) => `frame: ${b}`));
    const said = this.complaints.filter((text) => !this.allowed.some((a) => a.test(text)));
    return [...frames, ...said];
  }

  private hear(page: Page): void {
    page.on('websocket', (socket) => this.hearSocket(socket));
    page.on('console', (message) => this.hearConsole(message));
    page.on('pageerror', (error) => this.complaints.push(`page error: ${error.stack ?? error}`));
  }

  private hearConsole(message: ConsoleMessage): void {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    this.complaints.push(`console ${message.type()}: ${message.text()} ${message.location().url}`);
  }

  private hearSocket(socket: WebSocket): void {
    const log = new FrameLog(socket.url(), this.batch);
    this.sockets.push(log);
    const text = (payload: string | Buffer) => String(payload);
    socket.on('framesent', ({ payload }) => log.add('client', text(payload)));
    socket.on('framereceived', ({ payload }) => log.add('edge', text(payload)));
  }
}

/** A browser of its own, as another person has: own cookies, and all that it says recorded. */
export async function newRecorder(
  browser: Browser,
  options: BrowserContextOptions = {},
  batch = false,
): Promise<Recorder> {
  return new Recorder(await browser.newContext(options), batch);
}
