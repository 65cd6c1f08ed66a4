// A page with SeatSelection on the fake server, and how tests look at it.

import { FakeSeatServer, type FakeSeatServerOptions } from '@seatlock/client/testing';
import { act, cleanup, render, screen, waitFor } from '@testing-library/react';
import { StrictMode } from 'react';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { SeatSelection, type SeatSelectionProps } from '../seat_selection.js';
import { hall } from './hall.js';

/** A fake server of its own for each test, whose shopper is `me`. */
export function fakeServer(options: FakeSeatServerOptions = {}): () => FakeSeatServer {
  let server: FakeSeatServer | undefined;
  let undo = () => {};
  beforeEach(() => {
    server = new FakeSeatServer({ sessionId: 'me', ...options });
    undo = server.install();
  });
  afterEach(() => {
    cleanup();
    undo();
    vi.useRealTimers();
  });
  return () => {
    if (!server) throw new Error('no test runs');
    return server;
  };
}

/** Renders it, in StrictMode, for the shopper `me` in `hall`. */
export function show(props: Partial<SeatSelectionProps> = {}) {
  return render(
    <StrictMode>
      <SeatSelection showtimeId="123" layout={hall} sessionId="me" {...props} />
    </StrictMode>,
  );
}

export function cell(seatId: string): HTMLElement {
  const found = document.querySelector(`[data-seat-id="${seatId}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`no seat ${seatId}`);
  return found;
}

export async function becomes(seatId: string, state: string): Promise<void> {
  await waitFor(() => expect(cell(seatId).dataset.state).toBe(state));
}

export async function live(): Promise<void> {
  await waitFor(() => {
    expect(screen.getByTestId('seatlock-connection').dataset.status).toBe('live');
  });
}

/** Under fake timers: lets `ms` pass. */
export async function pass(ms: number): Promise<void> {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(ms);
  });
}
