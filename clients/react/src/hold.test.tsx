// What time does to a hold: countdown, warnings, extension, expiry; and what a bad network does to
// calls. Under fake timers, which drive the fake server too.

import { act, fireEvent, screen } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';
import type { SeatSelectionProps } from './seat_selection.js';
import { cell, fakeServer, pass, show } from './testing/page.js';

const server = fakeServer();

beforeEach(() => {
  vi.useFakeTimers();
});

async function showNow(props: Partial<SeatSelectionProps> = {}): Promise<void> {
  show(props);
  await pass(10);
}

const countdown = () => screen.queryByTestId('seatlock-countdown')?.textContent;
const status = () => screen.getByRole('status').textContent;

test('CountsDownToTheEarliestExpiryAndStopsWithTheLastSeat', async () => {
  server().lock('123', ['A03'], 'me', { ttlMs: 125_000 });
  server().lock('123', ['A04'], 'me', { ttlMs: 300_000 });
  await showNow();
  expect(countdown()).toBe('02:05');
  await pass(60_000);
  expect(countdown()).toBe('01:05');
  await act(async () => server().unlock('123', ['A03'], 'me'));
  await pass(10);
  expect(countdown()).toBe('04:00');
  await act(async () => server().unlock('123', ['A04'], 'me'));
  await pass(10);
  expect(countdown()).toBeUndefined();
});

test('WarnsAt60And20SecondsOnceEachForAnExpiry', async () => {
  const onHoldExpiring = vi.fn();
  server().lock('123', ['A03'], 'me', { ttlMs: 90_000 });
  await showNow({ onHoldExpiring });
  await pass(28_000);
  expect(onHoldExpiring).not.toHaveBeenCalled();
  await pass(3_000);
  expect(onHoldExpiring).toHaveBeenCalledTimes(1);
  expect(onHoldExpiring.mock.calls[0]?.[0].seatIds).toEqual(['A03']);
  expect(Math.round(onHoldExpiring.mock.calls[0]?.[0].msLeft / 1000)).toBe(60);
  expect(status()).toContain('60 seconds left');
  await pass(41_000);
  expect(onHoldExpiring).toHaveBeenCalledTimes(2);
  expect(Math.round(onHoldExpiring.mock.calls[1]?.[0].msLeft / 1000)).toBe(20);
  // A new expiry is warned of anew.
  act(() => server().extend('123', ['A03'], 'me', { ttlMs: 70_000 }));
  await pass(12_000);
  expect(onHoldExpiring).toHaveBeenCalledTimes(3);
});

test('AReturnWithLittleTimeLeftWarnsOnce', async () => {
  const onHoldExpiring = vi.fn();
  server().lock('123', ['A03'], 'me', { ttlMs: 15_000 });
  await showNow({ onHoldExpiring });
  await pass(5_000);
  expect(onHoldExpiring).toHaveBeenCalledTimes(1);
});

test('WarnsWhenAskedTo', async () => {
  const onHoldExpiring = vi.fn();
  server().lock('123', ['A03'], 'me', { ttlMs: 90_000 });
  await showNow({ onHoldExpiring, holdWarningsMs: [30_000] });
  await pass(58_000);
  expect(onHoldExpiring).not.toHaveBeenCalled();
  await pass(3_000);
  expect(onHoldExpiring).toHaveBeenCalledTimes(1);
});

test('TheServersExpiryFreesTheSeatAndIsTold', async () => {
  const onHoldExpired = vi.fn();
  server().lock('123', ['A03', 'A04'], 'me', { ttlMs: 30_000 });
  await showNow({ onHoldExpired });
  await pass(31_000);
  expect(onHoldExpired).toHaveBeenCalledTimes(1);
  expect(onHoldExpired).toHaveBeenCalledWith({ seatIds: ['A03', 'A04'] });
  expect(status()).toContain('Row A, seat 3; Row A, seat 4');
  expect(cell('A03').dataset.state).toBe('available');
});

test('WhatTheShopperGaveBackHasNotExpired', async () => {
  const onHoldExpired = vi.fn();
  server().lock('123', ['A03', 'A04'], 'me');
  await showNow({ onHoldExpired });
  fireEvent.click(cell('A03'));
  await pass(100);
  // By another tab of the same shopper.
  await act(async () => server().unlock('123', ['A04'], 'me'));
  await pass(100);
  expect(cell('A04').dataset.state).toBe('available');
  expect(onHoldExpired).not.toHaveBeenCalled();
});

test('AHistoryThatWasLostTakesTheSeatsAndIsTold', async () => {
  const onHoldExpired = vi.fn();
  server().lock('123', ['A03'], 'me');
  await showNow({ onHoldExpired });
  await act(async () => server().newEpoch('123'));
  await pass(100);
  expect(onHoldExpired).toHaveBeenCalledWith({ seatIds: ['A03'] });
});

test('AsksWhatBecameOfAHoldThatEndedWhileTheServiceWasAway', async () => {
  server().lock('123', ['A03'], 'me', { ttlMs: 30_000 });
  await showNow();
  await act(async () => server().goStale());
  const before = server().calls.length;
  await pass(31_000);
  expect(countdown()).toBe('00:00');
  await pass(3_000);
  expect(
    server()
      .calls.slice(before)
      .map((call) => call.method),
  ).toEqual(['GET']);
  expect(cell('A03').dataset.state).toBe('available');
});

test('TheKeyEAndTheButtonKeepTheSeatsForLonger', async () => {
  server().lock('123', ['A03'], 'me', { ttlMs: 60_000 });
  await showNow();
  fireEvent.keyDown(cell('A03'), { key: 'e' });
  await pass(100);
  expect(countdown()).toBe('10:00');
  expect(status()).toContain('kept longer');
  await pass(60_000);
  fireEvent.click(screen.getByRole('button', { name: 'Keep for longer' }));
  await pass(100);
  expect(countdown()).toBe('10:00');
  // Not with a modifier, and not where nothing is held.
  const calls = server().calls.length;
  fireEvent.keyDown(cell('A03'), { key: 'e', ctrlKey: true });
  await pass(100);
  expect(server().calls.length).toBe(calls);
});

test('SaysThatSeatsCannotBeKeptAnyLonger', async () => {
  const onHoldFailed = vi.fn();
  server().lock('123', ['A03'], 'me', { ttlMs: 60_000 });
  await showNow({ onHoldFailed });
  server().failNextCall({ status: 409, code: 'EXTEND_LIMIT' });
  fireEvent.keyDown(cell('A03'), { key: 'e' });
  await pass(100);
  expect(screen.getByRole('alert').textContent).toContain('cannot be kept any longer');
  expect(onHoldFailed.mock.calls[0]?.[0]).toMatchObject({
    action: 'extend',
    code: 'EXTEND_LIMIT',
    seatIds: ['A03'],
  });
  expect(cell('A03').dataset.state).toBe('selected');
});

test('ABusyServerIsAskedAgainAFewTimes', async () => {
  await showNow();
  server().failNextCall({ status: 503, code: 'DRAINING' });
  fireEvent.click(cell('A03'));
  await pass(500);
  expect(cell('A03').dataset.state).toBe('selecting');
  await pass(1_000);
  expect(cell('A03').dataset.state).toBe('selected');
});

test('AServerThatStaysBusyIsGivenUpOn', async () => {
  await showNow();
  for (let i = 0; i < 9; i++) server().failNextCall({ status: 429, code: 'RATE_LIMITED' });
  fireEvent.click(cell('A03'));
  await pass(60_000);
  expect(cell('A03').dataset.state).toBe('available');
  expect(screen.getByRole('alert').textContent).toContain('Row A, seat 3: too busy');
  expect(server().calls.filter((call) => call.method === 'POST').length).toBe(4);
});

test('ALostAnswerIsLookedUpBeforeAnythingIsShown', async () => {
  await showNow();
  server().failNextCall('network');
  fireEvent.click(cell('A03'));
  await pass(5_000);
  expect(server().calls.map((call) => call.method)).toEqual(['GET', 'POST', 'GET', 'POST']);
  expect(cell('A03').dataset.state).toBe('selected');
});

test('WithoutANetworkTheSeatIsNotShownAsHeld', async () => {
  await showNow();
  for (let i = 0; i < 9; i++) server().failNextCall('network');
  fireEvent.click(cell('A03'));
  await pass(60_000);
  expect(cell('A03').dataset.state).toBe('available');
  expect(screen.getByRole('alert').textContent).toContain('Row A, seat 3');
});

test('ACallThatHangsEndsAndIsLookedUp', async () => {
  await showNow();
  server().failNextCall('hang');
  fireEvent.click(cell('A03'));
  await pass(9_000);
  expect(cell('A03').dataset.state).toBe('selecting');
  await pass(5_000);
  expect(cell('A03').dataset.state).toBe('selected');
});

test('RestoresLaterWhereTheSiteDidNotAnswer', async () => {
  server().lock('123', ['A03'], 'me');
  server().failNextCall('network');
  await showNow({ sessionId: undefined });
  expect(cell('A03').dataset.state).toBe('locked');
  await pass(5_000);
  expect(cell('A03').dataset.state).toBe('selected');
});
