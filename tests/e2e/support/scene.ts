// What a test of the site plays in: all programs, a browser, and the people at it. Everything that
// their pages say and every frame of their WebSockets is recorded, and checked by `expectClean()`.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { launchBrowser, newRecorder, type Recorder } from './browser.js';
import { nginxProgram, writeNginxFiles } from './nginx.js';
import { repositoryPath } from './paths.js';
import { freePort, type Program } from './program.js';
import { SeatPage } from './seat_page.js';
import { siteProgram } from './site.js';
import { Stack } from './stack.js';

export interface SceneOptions {
  /** Pages come through nginx and find the edge on their own host. */
  readonly nginx?: boolean;
  /** Further settings of the site. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A person's browser: a context of its own. */
export interface Person {
  readonly recorder: Recorder;
  /** Opens a showtime in a new tab and waits until it is live. */
  readonly open: (showtimeId: string, as?: string) => Promise<SeatPage>;
}

/** Whoever makes it calls `stop()`. */
export class Scene {
  private people: Person[] = [];

  private constructor(
    readonly stack: Stack,
    readonly site: Program,
    readonly url: string,
    readonly browser: Browser,
  ) {}

  static async start(options: SceneOptions = {}): Promise<Scene> {
    const stack = await Stack.start({ tokens: true });
    try {
      const port = await freePort();
      const webSocket = options.nginx ? {} : { webSocketUrl: stack.edgeUrl };
      const site = siteProgram({
        port,
        upstream: stack.serviceAddress,
        database: join(stack.folder, 'site.db'),
        ...webSocket,
        env: { SEATLOCK_TOKEN_JWKS: stack.tokenKeys, ...options.env },
      });
      await stack.add(site);
      const front = options.nginx ? await startNginx(stack, port) : port;
      return new Scene(stack, site, `http://127.0.0.1:${front}`, await launchBrowser());
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  get seatctl(): Stack['seatctl'] {
    return this.stack.seatctl;
  }

  /** A new person, whose browser has these properties. Gone after the test: see `leave()`. */
  async person(options: BrowserContextOptions = {}): Promise<Person> {
    const recorder = await newRecorder(this.browser, { baseURL: this.url, ...options });
    const open = async (showtimeId: string, as?: string) => {
      const seats = await this.openPage(recorder, showtimeId, as);
      await seats.isNow('live');
      return seats;
    };
    const person = { recorder, open };
    this.people.push(person);
    return person;
  }

  /** Opens a showtime in a new tab, whatever state it comes to. */
  async openPage(recorder: Recorder, showtimeId: string, as?: string): Promise<SeatPage> {
    const page = await recorder.context.newPage();
    await page.goto(`/showtimes/${showtimeId}${as === undefined ? '' : `?as=${as}`}`);
    return new SeatPage(page);
  }

  /** After each test: nothing went wrong that was not allowed, and everybody leaves. */
  async expectClean(): Promise<void> {
    const people = this.people;
    this.people = [];
    const breaches = people.flatMap(({ recorder }) => recorder.breaches());
    for (const { recorder } of people) await recorder.context.close();
    expect(breaches).toEqual([]);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.stack.stop();
  }
}

async function startNginx(stack: Stack, site: number): Promise<number> {
  const folder = join(stack.folder, 'nginx');
  const ports = { listen: await freePort(), site, edge: stack.edgePort };
  await writeNginxFiles(folder, ports);
  await stack.add(nginxProgram(folder, ports));
  return ports.listen;
}

const SCREENSHOTS = repositoryPath('build/e2e-screenshots');

/** Keeps what a page looks like, for a person to look at: build/e2e-screenshots/NAME.png. */
export async function screenshot(page: Page, name: string, fullPage = true): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage });
}
