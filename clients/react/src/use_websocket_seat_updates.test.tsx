// The hook, used as origin.md shows it, on the fake server.

import type { SeatUpdate, Showtime } from '@seatlock/client';
import { FakeSeatServer } from '@seatlock/client/testing';
import { act, cleanup, render, renderHook, screen, waitFor } from '@testing-library/react';
import { StrictMode, useCallback, version } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useSeat, useShowtime } from './use_showtime.js';
import { useWebSocketSeatUpdates } from './use_websocket_seat_updates.js';

let server: FakeSeatServer;
let undo: () => void;

beforeEach(() => {
  server = new FakeSeatServer();
  undo = server.install();
});

afterEach(() => {
  cleanup();
  undo();
  vi.restoreAllMocks();
});

function subscribes(): number {
  return server.received.filter((frame) => frame.type === 'subscribe').length;
}

// As origin.md has it.
function SeatSelection({ showtimeId }: { showtimeId: string }) {
  const handleSeatUpdate = useCallback((update: SeatUpdate) => {
    console.log('Seat update:', update);
    // Update UI based on seat status change
  }, []);

  const { isConnected, connectionStatus } = useWebSocketSeatUpdates(showtimeId, handleSeatUpdate);

  return (
    <div>
      <div className={`status ${isConnected ? 'connected' : 'disconnected'}`}>
        {connectionStatus}
      </div>
      {/* Seat grid */}
    </div>
  );
}

function ConnectionText() {
  const { connectionStatus, isConnected } = useWebSocketSeatUpdates('123');
  return <p>{`${connectionStatus} ${isConnected}`}</p>;
}

const rendered: string[] = [];

function OneSeat({ followed, seatId }: { followed: Showtime; seatId: string }) {
  const { status } = useSeat(followed, seatId);
  rendered.push(`${seatId} ${status}`);
  return null;
}

function TwoSeats() {
  const followed = useShowtime('123');
  return ['A01', 'A02'].map((id) => <OneSeat key={id} followed={followed} seatId={id} />);
}

test('TheseTestsRunOnTheReactThatWasAskedFor', () => {
  expect(version.split('.')[0]).toBe(process.env.SEATLOCK_REACT ?? '19');
});

test('TheUsageOfOriginWorks', async () => {
  const seen: SeatUpdate[] = [];
  vi.spyOn(console, 'log').mockImplementation((_, update) => seen.push(update));
  render(<SeatSelection showtimeId="123" />);
  await screen.findByText('Connected');
  act(() => server.lock('123', ['A06'], 'other'));
  await waitFor(() => expect(seen.length).toBe(1));
  expect(seen[0]).toMatchObject({ seatId: 'A06', status: 'locked', cause: 'lock' });
  expect(document.querySelector('.connected')).toBeTruthy();
});

test('SaysEachStateInWords', async () => {
  const { result } = renderHook(() => useWebSocketSeatUpdates('123'));
  const becomes = async (text: string, status: string) => {
    await waitFor(() => expect(result.current.connectionStatus).toBe(text));
    expect(result.current.status).toBe(status);
    expect(result.current.isConnected).toBe(status === 'live');
    expect(result.current.stale).toBe(status !== 'live');
  };
  await becomes('Connected', 'live');
  act(() => server.goStale());
  await becomes('Seat service away', 'stale');
  act(() => server.goLive());
  await becomes('Connected', 'live');
  act(() => server.refuse('123', { retryAfterMs: 30_000 }));
  await becomes('Seats may be out of date', 'stale');
  expect(result.current.error?.code).toBe('SHOWTIME_UNAVAILABLE');
  expect(result.current.retryAt).not.toBeNull();
  server.allow('123');
  act(() => result.current.reconnect());
  await becomes('Connected', 'live');
  server.refuseConnections(true);
  act(() => server.closeAll(1006));
  await becomes('Connection error', 'reconnecting');
  expect(result.current.retryAt).not.toBeNull();
  expect(result.current.error?.closeCode).toBe(1006);
  server.refuseConnections(false);
  act(() => result.current.reconnect());
  await becomes('Connected', 'live');
  expect(result.current.error).toBeNull();
  act(() => server.closeAll(4000));
  await becomes('Disconnected', 'closed');
});

test('ARecoveredReconnectMissesNothing', async () => {
  const seen: string[] = [];
  const { result } = renderHook(() =>
    useWebSocketSeatUpdates('123', (update) => seen.push(`${update.seatId} ${update.cause}`)),
  );
  server.lock('123', ['A01'], 'other');
  await waitFor(() => expect(result.current.isConnected).toBe(true));
  act(() => server.closeAll(4200));
  server.lock('123', ['A02'], 'other');
  await waitFor(() => expect(result.current.recovered).toBe(true));
  await waitFor(() => expect(seen).toContain('A02 lock'));
  expect(new Set(seen).size).toBe(seen.length);
});

test('AnInlineCallbackDoesNotConnectAnewAndTheNewestIsCalled', async () => {
  const seen: string[] = [];
  const { rerender, result } = renderHook(
    ({ name }) => useWebSocketSeatUpdates('123', () => seen.push(name)),
    { initialProps: { name: 'first' } },
  );
  await waitFor(() => expect(result.current.isConnected).toBe(true));
  const before = result.current.reconnect;
  rerender({ name: 'second' });
  act(() => server.lock('123', ['A06'], 'other'));
  await waitFor(() => expect(seen).toEqual(['second']));
  expect(subscribes()).toBe(1);
  expect(server.connections).toBe(1);
  expect(result.current.reconnect).toBe(before);
});

test('StrictModeMakesOneSocketAndTellsOfEachChangeOnce', async () => {
  const onUpdate = vi.fn();
  const { result } = renderHook(() => useWebSocketSeatUpdates('123', onUpdate), {
    wrapper: StrictMode,
  });
  await waitFor(() => expect(result.current.isConnected).toBe(true));
  act(() => server.lock('123', ['A06'], 'other'));
  await waitFor(() => expect(onUpdate).toHaveBeenCalled());
  expect(onUpdate).toHaveBeenCalledTimes(1);
  expect(subscribes()).toBe(1);
});

test('AnotherShowtimeIsFollowedInPlaceOfTheFirst', async () => {
  const onUpdate = vi.fn();
  const { rerender, result } = renderHook(({ id }) => useWebSocketSeatUpdates(id, onUpdate), {
    initialProps: { id: '123' },
  });
  await waitFor(() => expect(result.current.isConnected).toBe(true));
  rerender({ id: '124' });
  await waitFor(() => expect(result.current.isConnected).toBe(true));
  act(() => {
    server.lock('123', ['A01'], 'other');
    server.lock('124', ['B01'], 'other');
  });
  await waitFor(() => expect(onUpdate).toHaveBeenCalled());
  expect(onUpdate.mock.calls.map(([update]) => update.seatId)).toEqual(['B01']);
});

test('OnAServerNothingIsConnected', () => {
  expect(renderToString(<ConnectionText />)).toContain('Idle false');
  expect(server.connections).toBe(0);
});

test('OneSeatsChangeRendersThatSeatAlone', async () => {
  render(<TwoSeats />);
  await waitFor(() => expect(subscribes()).toBe(1));
  await act(async () => {
    await Promise.resolve();
  });
  rendered.length = 0;
  act(() => server.lock('123', ['A02'], 'other'));
  await waitFor(() => expect(rendered).toEqual(['A02 locked']));
});
