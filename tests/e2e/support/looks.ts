// The looks that a page has for different people: light, dark, and forced colours; and axe, which
// must find no violation in any.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { screenshot } from './scene.js';

export const LOOKS = {
  light: { colorScheme: 'light', forcedColors: 'none' },
  dark: { colorScheme: 'dark', forcedColors: 'none' },
  forced: { colorScheme: 'dark', forcedColors: 'active' },
} as const;

/** What axe finds, of all its rules, one line each; empty: nothing. */
export async function axeViolations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  );
}

/** Checks a state of a page in each look, and keeps a picture of it. */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  for (const [look, media] of Object.entries(LOOKS)) {
    await page.emulateMedia({ ...media, reducedMotion: 'reduce' });
    await screenshot(page, `${state}-${look}`);
    expect(await axeViolations(page), `${state}, ${look}`).toEqual([]);
  }
  await page.emulateMedia({ ...LOOKS.light, reducedMotion: null });
}
