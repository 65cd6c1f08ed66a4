// A page with a seat map, by what people perceive of it: roles, names, texts; and, for a seat's
// state, the attribute that its look hangs on.
import type { Locator, Page } from 'playwright-core';
import { until } from './program.js';

export type SeatLook = 'available' | 'selecting' | 'selected' | 'releasing' | 'locked' | 'booked';

export class SeatPage {
  constructor(readonly page: Page) {}

  seat(seatId: string): Locator {
    return this.page.locator(`[data-seat-id="${seatId}"]`);
  }

  /** Waits until the seat looks like this. */
  async seatIs(seatId: string, look: SeatLook, timeoutMs = 20_000): Promise<void> {
    const wanted = this.page.locator(`[data-seat-id="${seatId}"][data-state="${look}"]`);
    await wanted.waitFor({ timeout: timeoutMs }).catch(async (error: unknown) => {
      throw new Error(`${seatId} is ${await this.look(seatId)}, not ${look}: ${error}`);
    });
  }

  look(seatId: string): Promise<string | null> {
    return this.seat(seatId).getAttribute('data-state');
  }

  /** A seat's name as a screen reader says it. */
  name(seatId: string): Promise<string | null> {
    return this.seat(seatId).getAttribute('aria-label');
  }

  /** Clicks it whatever its state: a taken seat answers too. */
  click(seatId: string): Promise<void> {
    return this.seat(seatId).click({ force: true });
  }

  async select(seatId: string): Promise<void> {
    await this.click(seatId);
    await this.seatIs(seatId, 'selected');
  }

  get connection(): Locator {
    return this.page.getByTestId('seatlock-connection');
  }

  /** Waits for a state of the connection. */
  async isNow(status: string, timeoutMs = 30_000): Promise<void> {
    const wanted = `[data-testid="seatlock-connection"][data-status="${status}"]`;
    await this.page.locator(wanted).waitFor({ timeout: timeoutMs });
  }

  async connectionText(): Promise<string> {
    return (await this.connection.textContent()) ?? '';
  }

  /** The refusal that is shown. Next has an alert of its own for route changes, always empty. */
  get alert(): Locator {
    return this.page.locator('[role="alert"]:not(#__next-route-announcer__)');
  }

  async alertSays(...words: string[]): Promise<void> {
    const said = async () => (await this.alert.allTextContents()).join(' ');
    await until(`the alert says ${words.join(', ')}`, async () => {
      const text = await said();
      return words.every((word) => text.includes(word));
    });
  }

  get summary(): Locator {
    return this.page.getByTestId('seatlock-summary');
  }

  get countdown(): Locator {
    return this.page.getByTestId('seatlock-countdown');
  }
}
