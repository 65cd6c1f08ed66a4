// What a server rendered hydrates as it is: no mismatch, no seat that flickers.

import type { InitialSnapshot } from '@seatlock/client';
import { FakeSeatServer } from '@seatlock/client/testing';
import { act, cleanup, waitFor } from '@testing-library/react';
import { hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SeatSelection } from './seat_selection.js';
import { hall } from './testing/hall.js';

let server: FakeSeatServer;
let undo: () => void;
let root: Root | undefined;
const errors = vi.spyOn(console, 'error');

beforeEach(() => {
  errors.mockClear();
  server = new FakeSeatServer({ sessionId: 'me' });
  undo = server.install();
});

afterEach(() => {
  act(() => root?.unmount());
  root = undefined;
  cleanup();
  undo();
});

function page(initialSnapshot: InitialSnapshot | undefined, mode: 'map' | 'list' = 'map') {
  return (
    <SeatSelection
      showtimeId="123"
      layout={hall}
      sessionId="me"
      mode={mode}
      initialSnapshot={initialSnapshot}
    />
  );
}

/** Renders as a server does: where there is no window, and so nothing that is shared. */
function onServer(element: ReturnType<typeof page>): string {
  vi.stubGlobal('window', undefined);
  try {
    return renderToString(element);
  } finally {
    vi.unstubAllGlobals();
  }
}

function states(within: Element): Record<string, string | undefined> {
  const seats = [...within.querySelectorAll<HTMLElement>('[data-seat-id]')];
  return Object.fromEntries(seats.map((el) => [el.dataset.seatId ?? '', el.dataset.state]));
}

/** The server's word, with the seats of the fake. */
function snapshot(): InitialSnapshot {
  server.lock('123', ['A01'], 'other');
  server.book('123', ['A02']);
  server.lock('123', ['A03'], 'me');
  const yourSeats = [{ seatId: 'A03', expiresAt: Date.now() + 600_000 }];
  return {
    epoch: 'epoch-b1',
    revision: 3,
    bookedSeats: ['A02'],
    lockedSeats: ['A01', 'A03'],
    yourSeats,
  };
}

test.each(['map', 'list'] as const)(
  'The %s ShowsTheSnapshotAndHydratesWithoutAFlicker',
  async (mode) => {
    const element = page(snapshot(), mode);
    const html = onServer(element);
    const container = document.createElement('div');
    container.innerHTML = html;
    document.body.append(container);
    const rendered = states(container);
    expect(rendered).toMatchObject({
      A01: 'locked',
      A02: 'booked',
      A03: 'selected',
      A04: 'available',
    });

    const flickers: string[] = [];
    const observer = new MutationObserver((records) => {
      for (const { attributeName } of records) flickers.push(attributeName ?? '');
    });
    observer.observe(container, {
      attributes: true,
      attributeFilter: ['data-state'],
      subtree: true,
    });
    act(() => {
      root = hydrateRoot(container, element);
    });
    expect(states(container)).toEqual(rendered);
    await waitFor(() => expect(container.querySelector('[data-status="live"]')).toBeTruthy());
    await waitFor(() => expect(server.calls.length).toBe(1));
    expect(states(container)).toEqual(rendered);
    expect(flickers).toEqual([]);
    expect(errors).not.toHaveBeenCalled();
    observer.disconnect();
    container.remove();
  },
);

test('WithoutASnapshotEverySeatIsRenderedAvailable', () => {
  const container = document.createElement('div');
  container.innerHTML = onServer(page(undefined));
  expect(new Set(Object.values(states(container)))).toEqual(new Set(['available']));
  expect(container.innerHTML).not.toContain('seatlock-countdown');
});

test('AStreamThatIsAheadOfTheSnapshotIsShownAfterHydration', async () => {
  const element = page(snapshot());
  const container = document.createElement('div');
  container.innerHTML = onServer(element);
  document.body.append(container);
  server.lock('123', ['A06'], 'other');
  act(() => {
    root = hydrateRoot(container, element);
  });
  await waitFor(() => expect(states(container).A06).toBe('locked'));
  expect(states(container).A03).toBe('selected');
  expect(errors).not.toHaveBeenCalled();
  container.remove();
});
