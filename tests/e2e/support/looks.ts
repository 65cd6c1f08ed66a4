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

export type Look = keyof typeof LOOKS;

const CONTRAST = 'color-contrast';
const OWN_COLORS = 'data-own-colors';

// Rows of a hall are alike, and axe takes its time: the first ones of each section stand for all.
const MORE_ROWS = '[role="row"]:nth-of-type(n + 5)';

// One frame, so axe's way of several is not needed: it opens a page for each run.
function axe(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).setLegacyMode(true).exclude(MORE_ROWS);
}

type Found = Awaited<ReturnType<AxeBuilder['analyze']>>;

function lines({ violations }: Found): string[] {
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  );
}

/** What axe finds, of all its rules, one line each; empty: nothing. */
export async function axeViolations(page: Page): Promise<string[]> {
  return lines(await axe(page).analyze());
}

// axe reads the colours that a page asked for, not those that were forced on it. What is forced has
// contrast by itself; what keeps colours of its own (`forced-color-adjust: none`) is looked at.
async function axeViolationsForced(page: Page): Promise<string[]> {
  const found = lines(await axe(page).disableRules(CONTRAST).analyze());
  const own = await page.evaluate((mark) => {
    const all = [...document.querySelectorAll('body *')];
    const own = all.filter((e) => getComputedStyle(e).forcedColorAdjust === 'none');
    for (const element of own) element.setAttribute(mark, '');
    return own.length;
  }, OWN_COLORS);
  if (own === 0) return found;
  const contrast = await axe(page).include(`[${OWN_COLORS}]`).withRules(CONTRAST).analyze();
  return [...found, ...lines(contrast)];
}

/** Checks a state of a page in these looks, and keeps a picture of each. */
export async function expectAccessible(
  page: Page,
  state: string,
  looks: readonly Look[] = ['light', 'dark', 'forced'],
): Promise<void> {
  for (const look of looks) {
    await page.emulateMedia({ ...LOOKS[look], reducedMotion: 'reduce' });
    await screenshot(page, `${state}-${look}`);
    const found = await (look === 'forced' ? axeViolationsForced(page) : axeViolations(page));
    expect(found, `${state}, ${look}`).toEqual([]);
  }
  await page.emulateMedia({ ...LOOKS.light, reducedMotion: null });
}
