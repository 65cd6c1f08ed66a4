// SeatSelection as its shopper meets it: by roles, names, pointer and keys, on the fake server().

import type { OwnSeat } from '@seatlock/client';
import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { expect, type Mock, test, vi } from 'vitest';
import { SeatSelection } from './seat_selection.js';
import { bigHall, hall } from './testing/hall.js';
import { becomes, cell, fakeServer, live, show } from './testing/page.js';

const server = fakeServer();

/** The seats that the last call told of. */
function seatIdsOf(onSelectionChange: Mock): string[] | undefined {
  const seats: readonly OwnSeat[] | undefined = onSelectionChange.mock.lastCall?.[0];
  return seats?.map((seat) => seat.seatId);
}

test('SaysRowNumberPriceAndStateOfEverySeat', async () => {
  server().lock('123', ['A01'], 'other');
  server().book('123', ['A02']);
  server().lock('123', ['A04'], 'me');
  server().lock('123', ['C01'], 'me');
  server().book('123', ['C01']);
  show();
  await becomes('A01', 'locked');
  await becomes('A04', 'selected');
  expect(cell('A06').getAttribute('aria-label')).toBe('Row A, seat 6, €12.00, available');
  expect(cell('A01').getAttribute('aria-label')).toBe('Row A, seat 1, €12.00, taken');
  expect(cell('A02').getAttribute('aria-label')).toBe('Row A, seat 2, €12.00, sold');
  expect(cell('A04').getAttribute('aria-label')).toBe('Row A, seat 4, €12.00, selected');
  expect(cell('C03').getAttribute('aria-label')).toBe('Row C, seat 3, €18.50, available');
  expect(screen.getByRole('grid', { name: 'Hall 1' })).toBeTruthy();
});

test('SelectsAtOnceAndGivesBack', async () => {
  show();
  await live();
  fireEvent.click(cell('A06'));
  expect(cell('A06').dataset.state).toBe('selecting');
  await becomes('A06', 'selected');
  expect(cell('A06').getAttribute('aria-selected')).toBe('true');
  expect(screen.getByTestId('seatlock-summary').textContent).toContain('€12.00');
  fireEvent.click(cell('A06'));
  expect(cell('A06').dataset.state).toBe('releasing');
  await becomes('A06', 'available');
  expect(server().calls.map((call) => call.method)).toEqual(['GET', 'POST', 'DELETE']);
});

test('RefusesATakenSeatByName', async () => {
  server().lock('123', ['A06'], 'other');
  const onSeatTaken = vi.fn();
  show({ onSeatTaken });
  await becomes('A06', 'locked');
  fireEvent.click(cell('A06'));
  expect(screen.getByRole('alert').textContent).toContain('Row A, seat 6 is taken');
  expect(onSeatTaken).toHaveBeenCalledWith({ seatId: 'A06', status: 'locked' });
  act(() => server().unlock('123', ['A06'], 'other'));
  await becomes('A06', 'available');
});

test('ShowsASeatThatWasRefusedAsTakenUntilTheStreamIsBack', async () => {
  show();
  await live();
  server().goStale();
  server().lock('123', ['A06'], 'other');
  fireEvent.click(cell('A06'));
  await screen.findByRole('alert');
  expect(cell('A06').dataset.state).toBe('locked');
  server().unlock('123', ['A06'], 'other');
  act(() => server().goLive());
  await live();
  await becomes('A06', 'available');
});

test('ARefusalTakesThePlaceOfWhatWasToldBefore', async () => {
  server().lock('123', ['A01'], 'other');
  show();
  await becomes('A01', 'locked');
  fireEvent.click(cell('A06'));
  await waitFor(() => expect(screen.getByRole('status').textContent).toContain('seat 6'));
  fireEvent.click(cell('A01'));
  expect(screen.getByRole('alert').textContent).toContain('seat 1 is taken');
  expect(screen.getByRole('status').textContent).toBe('');
});

test('OffersAWayBackWhereTheEdgeSaidNotToCome', async () => {
  show();
  await live();
  expect(screen.queryByRole('button', { name: 'Reconnect' })).toBeNull();
  act(() => server().closeAll(4003));
  fireEvent.click(await screen.findByRole('button', { name: 'Reconnect' }));
  await live();
  expect(screen.queryByRole('button', { name: 'Reconnect' })).toBeNull();
});

test('RollsBackWithAReasonWhereAnotherWasFaster', async () => {
  const onSeatTaken = vi.fn();
  const onHoldFailed = vi.fn();
  show({ onSeatTaken, onHoldFailed });
  await live();
  // The page has not heard of it yet.
  server().goStale();
  server().lock('123', ['A06'], 'other');
  fireEvent.click(cell('A06'));
  expect(cell('A06').dataset.state).toBe('selecting');
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('Row A, seat 6 is taken');
  expect(cell('A06').getAttribute('aria-selected')).toBe('false');
  expect(onSeatTaken).toHaveBeenCalledWith({ seatId: 'A06', status: 'locked' });
  expect(onHoldFailed).toHaveBeenCalledWith({
    action: 'lock',
    seatIds: ['A06'],
    code: 'SEAT_TAKEN',
    message: alert.querySelector('span')?.textContent,
    seats: [{ seatId: 'A06', status: 'locked' }],
  });
  server().goLive();
  await becomes('A06', 'locked');
});

test('SaysSoldOfASoldSeat', async () => {
  server().book('123', ['B01']);
  show();
  await becomes('B01', 'booked');
  fireEvent.click(cell('B01'));
  expect(screen.getByRole('alert').textContent).toContain('Row B, seat 1 is sold');
  fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
  expect(screen.queryByRole('alert')).toBeNull();
});

test('RefusesMoreThanMaxSeatsWithoutACall', async () => {
  const onHoldFailed = vi.fn();
  show({ maxSeats: 2, onHoldFailed });
  await live();
  for (const seatId of ['A03', 'A04', 'A05']) fireEvent.click(cell(seatId));
  expect(screen.getByRole('alert').textContent).toContain('at most 2 seats');
  expect(screen.getByRole('alert').textContent).toContain('Row A, seat 5');
  expect(onHoldFailed.mock.calls[0]?.[0]).toMatchObject({ code: 'SESSION_SEAT_LIMIT' });
  await becomes('A04', 'selected');
  expect(server().calls.filter((call) => call.method === 'POST').length).toBe(2);
  expect(cell('A05').dataset.state).toBe('available');
});

test('TellsOfTheServersOwnLimit', async () => {
  show();
  await live();
  server().failNextCall({ status: 409, code: 'SESSION_SEAT_LIMIT' });
  fireEvent.click(cell('A03'));
  const alert = await screen.findByRole('alert');
  expect(alert.textContent).toContain('Row A, seat 3 was not selected: no more seats');
});

test('RestoresTheShoppersSeatsAfterARefresh', async () => {
  server().lock('123', ['A03', 'A04'], 'me');
  const onSelectionChange = vi.fn();
  show({ onSelectionChange });
  await becomes('A03', 'selected');
  expect(screen.getByTestId('seatlock-summary').textContent).toContain('€24.00');
  expect(seatIdsOf(onSelectionChange)).toEqual(['A03', 'A04']);
  // StrictMode mounts twice.
  expect(server().received.filter((frame) => frame.type === 'subscribe').length).toBe(1);
  expect(screen.getByTestId('seatlock-countdown').textContent).toMatch(/^(10:00|09:5\d)$/);
});

test('TellsOfTheSeatsThatTheServerRendered', async () => {
  const onSelectionChange = vi.fn();
  server().lock('123', ['A03'], 'me');
  const yourSeats = [{ seatId: 'A03', expiresAt: Date.now() + 600_000 }];
  const known = { epoch: 'epoch-b1', revision: 1, bookedSeats: [], lockedSeats: ['A03'] };
  show({ onSelectionChange, initialSnapshot: { ...known, yourSeats } });
  expect(cell('A03').dataset.state).toBe('selected');
  expect(seatIdsOf(onSelectionChange)).toEqual(['A03']);
  await live();
  fireEvent.click(cell('A03'));
  await becomes('A03', 'available');
  expect(seatIdsOf(onSelectionChange)).toEqual([]);
});

test('FollowsAsTheSessionThatTheSiteNames', async () => {
  server().lock('123', ['A03'], 'me');
  server().lock('123', ['A01'], 'other');
  show({ sessionId: undefined });
  await becomes('A03', 'selected');
  expect(cell('A01').dataset.state).toBe('locked');
  // From here on the stream tells of this session's own: another tab's choice shows as chosen.
  act(() => server().lock('123', ['A05'], 'me'));
  await becomes('A05', 'selected');
});

test('ShowsTheNamedSessionsSeatsWithoutWaitingForItsStream', async () => {
  server().lock('123', ['A03'], 'me');
  server().refuseConnections(true);
  const known = { epoch: 'epoch-b1', revision: 1, bookedSeats: [], lockedSeats: ['A03'] };
  show({ sessionId: undefined, initialSnapshot: known });
  await becomes('A03', 'selected');
});

test('SwitchesWhereTheCookieIsAnotherSessions', async () => {
  show({ sessionId: 'an older session' });
  await live();
  fireEvent.click(cell('A03'));
  await becomes('A03', 'selected');
  await waitFor(() => {
    const subscribed = server().received.filter((frame) => frame.type === 'subscribe');
    expect(subscribed.at(-1)).toMatchObject({ sessionId: 'me' });
  });
});

test('ShowsWhatTheShopperBoughtAsSuch', async () => {
  server().lock('123', ['A03'], 'me');
  const onHoldExpired = vi.fn();
  show({ onHoldExpired });
  await becomes('A03', 'selected');
  act(() => server().book('123', ['A03'], 'me'));
  await becomes('A03', 'booked');
  expect(cell('A03').getAttribute('aria-label')).toContain('bought by you');
  expect(cell('A03').getAttribute('aria-selected')).toBe('true');
  fireEvent.click(cell('A03'));
  expect(screen.queryByRole('alert')).toBeNull();
  expect(onHoldExpired).not.toHaveBeenCalled();
});

test('AnnouncesOnlyWhatMattersToTheShopper', async () => {
  show();
  await live();
  act(() => server().lock('123', ['A01'], 'other'));
  await becomes('A01', 'locked');
  expect(screen.getByRole('status').textContent).toBe('');
  fireEvent.click(cell('A03'));
  await waitFor(() => {
    expect(screen.getByRole('status').textContent).toBe('Row A, seat 3 selected, €12.00');
  });
});

test('ReplacesTexts', async () => {
  server().lock('123', ['A01'], 'other');
  const messages = {
    seatName: (row: string, number: string) => `Reihe ${row}, Platz ${number}`,
    taken: (seat: string) => `${seat} ist vergeben`,
  };
  show({ messages, layout: { ...hall, locale: 'de-DE' } });
  await becomes('A01', 'locked');
  expect(cell('A01').getAttribute('aria-label')).toBe('Reihe A, Platz 1, 12,00\u00a0€, taken');
  fireEvent.click(cell('A01'));
  expect(screen.getByRole('alert').textContent).toContain('Reihe A, Platz 1 ist vergeben');
});

test('OneChangeAmong2000RendersOneSeat', async () => {
  let renders = 0;
  const word = (text: string) => ({
    enumerable: true,
    get: () => {
      renders++;
      return text;
    },
  });
  const states = { available: '', selecting: '', selected: '', releasing: '' };
  const all = { ...states, locked: '', booked: '', bought: '' };
  Object.defineProperties(all, { available: word('available'), locked: word('taken') });
  const messages = { states: all };
  const big = bigHall(40, 50);
  render(<SeatSelection showtimeId="123" layout={big} sessionId="me" messages={messages} />);
  await live();
  await waitFor(() => expect(server().calls.length).toBe(1));
  expect(renders).toBeGreaterThanOrEqual(2000);
  renders = 0;
  act(() => server().lock('123', ['R7-33'], 'other'));
  await becomes('R7-33', 'locked');
  expect(renders).toBe(1);
  // Nor does the shopper's own choice, whose words are not counted, render another.
  fireEvent.click(cell('R7-34'));
  await becomes('R7-34', 'selected');
  expect(renders).toBe(1);
});

test('UnmountingLeavesNothingBehind', async () => {
  const { unmount } = show();
  await live();
  unmount();
  await waitFor(() => expect(server().connections).toBe(0));
});

test('AShowtimeThatTheEdgeRefusesIsShownAsStaleWithTheSeatsThatAreKnown', async () => {
  server().lock('123', ['A03'], 'me');
  server().lock('123', ['A04'], 'other');
  show();
  await live();
  act(() => server().refuse('123', { retryAfterMs: 500 }));
  const connection = screen.getByTestId('seatlock-connection');
  await waitFor(() => expect(connection.dataset.status).toBe('stale'));
  expect(connection.textContent).toBe('Seats may be out of date');
  expect(cell('A03').dataset.state).toBe('selected');
  expect(cell('A04').dataset.state).toBe('locked');
  act(() => server().allow('123'));
  await live();
  expect(connection.textContent).toBe('Connected');
});
