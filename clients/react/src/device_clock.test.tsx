// A device whose clock is wrong, or is put right while the page is open. Under fake timers, whose
// monotonic clock nobody sets.

import { act, fireEvent, screen } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';
import type { SeatSelectionProps } from './seat_selection.js';
import { cell, fakeServer, pass, show } from './testing/page.js';

const START = 1_800_000_000_000;
const HOUR = 3_600_000;

let begun = 0;
const server = fakeServer({ now: () => START + performance.now() - begun });

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  begun = performance.now();
});

async function showNow(props: Partial<SeatSelectionProps> = {}): Promise<void> {
  show(props);
  await pass(10);
}

const countdown = () => screen.queryByTestId('seatlock-countdown')?.textContent;
const setClock = (byMs: number) => vi.setSystemTime(Date.now() + byMs);

test.each([HOUR, -HOUR, 7 * 60_000])(
  'SetBy%iMsTheCountdownGoesOnAndNothingIsWarnedOf',
  async (byMs) => {
    const onHoldExpiring = vi.fn();
    const onHoldExpired = vi.fn();
    server().lock('123', ['A03'], 'me', { ttlMs: 300_000 });
    await showNow({ onHoldExpiring, onHoldExpired });
    await pass(10_000);
    expect(countdown()).toBe('04:50');
    setClock(byMs);
    for (const left of ['04:40', '04:30', '04:20']) {
      await pass(10_000);
      expect(countdown()).toBe(left);
    }
    expect(onHoldExpiring).not.toHaveBeenCalled();
    expect(onHoldExpired).not.toHaveBeenCalled();
  },
);

test('PutRightAfterThePageConnectedTheCountdownIsStillRight', async () => {
  setClock(HOUR);
  server().lock('123', ['A03'], 'me', { ttlMs: 300_000 });
  await showNow();
  expect(countdown()).toBe('05:00');
  setClock(-HOUR);
  await pass(10_000);
  expect(countdown()).toBe('04:50');
});

test('AfterSleepTheCountdownIsRightOnceTheServerHasAnswered', async () => {
  server().lock('123', ['A03'], 'me', { ttlMs: 300_000 });
  await showNow();
  begun -= 120_000; // time passed on the server …
  setClock(120_000); // … and by this device's clock, while the monotonic one stood
  await pass(1_000);
  await pass(1_000);
  expect(countdown()).toBe('02:58');
});

test('ALateCallIsPutRightThoughTheClockIsSet', async () => {
  await showNow();
  server().failNextCall('network');
  fireEvent.click(cell('A03'));
  await pass(100);
  fireEvent.click(cell('A03'));
  await pass(5_000);
  setClock(HOUR);
  // The call that was lost is carried out all the same, late.
  await act(async () => server().lock('123', ['A03'], 'me'));
  await pass(1_000);
  expect(cell('A03').dataset.state).toBe('available');
});
