// SeatSelection as its shopper meets it: by roles, names, pointer and keys, on the fake server.

import { FakeSeatServer } from '@seatlock/client/testing';
import { act, cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { StrictMode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SeatSelection, type SeatSelectionProps } from './seat_selection.js';
import { hall } from './testing/hall.js';

let server: FakeSeatServer;
let undo: () => void;

beforeEach(() => {
  server = new FakeSeatServer({ sessionId: 'me' });
  undo = server.install();
});

afterEach(() => {
  cleanup();
  undo();
});

function show(props: Partial<SeatSelectionProps> = {}) {
  return render(
    <StrictMode>
      <SeatSelection showtimeId="123" layout={hall} sessionId="me" {...props} />
    </StrictMode>,
  );
}

function cell(seatId: string): HTMLElement {
  const found = document.querySelector(`[data-seat-id="${seatId}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`no seat ${seatId}`);
  return found;
}

async function becomes(seatId: string, state: string): Promise<void> {
  await waitFor(() => expect(cell(seatId).dataset.state).toBe(state));
}

async function live(): Promise<void> {
  await waitFor(() => {
    expect(screen.getByTestId('seatlock-connection').dataset.status).toBe('live');
  });
}

test('SaysRowNumberPriceAndStateOfEverySeat', async () => {
  server.lock('123', ['A01'], 'other');
  server.book('123', ['A02']);
  server.lock('123', ['A04'], 'me');
  server.lock('123', ['C01'], 'me');
  server.book('123', ['C01']);
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
  expect(server.calls.map((call) => call.method)).toEqual(['GET', 'POST', 'DELETE']);
});

test('RefusesATakenSeatByName', async () => {
  server.lock('123', ['A06'], 'other');
  const onSeatTaken = vi.fn();
  show({ onSeatTaken });
  await becomes('A06', 'locked');
  fireEvent.click(cell('A06'));
  expect(screen.getByRole('alert').textContent).toContain('Row A, seat 6 is taken');
  expect(onSeatTaken).toHaveBeenCalledWith({ seatId: 'A06', status: 'locked' });
  act(() => server.unlock('123', ['A06'], 'other'));
  await becomes('A06', 'available');
});
