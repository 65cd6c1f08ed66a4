// The option `token` of hook and selection.

import { FakeSeatServer } from '@seatlock/client/testing';
import { cleanup, render, renderHook, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SeatSelection } from './seat_selection.js';
import { hall } from './testing/hall.js';
import { useWebSocketSeatUpdates } from './use_websocket_seat_updates.js';

let server: FakeSeatServer;
let undo: () => void;

beforeEach(() => {
  server = new FakeSeatServer({ sessionId: 'me', requireToken: true });
  undo = server.install();
});
afterEach(() => {
  cleanup();
  undo();
  vi.restoreAllMocks();
});

test('a function that is written inline is called once, and connects once', async () => {
  const calls = vi.fn();
  const { result, rerender } = renderHook(() =>
    useWebSocketSeatUpdates('123', undefined, {
      sessionId: 'me',
      token: async () => {
        calls();
        return server.token();
      },
    }),
  );
  await waitFor(() => expect(result.current.isConnected).toBe(true));
  rerender();
  rerender();
  expect(calls).toHaveBeenCalledTimes(1);
  expect(server.received.filter((frame) => frame.type === 'subscribe')).toHaveLength(1);
});

test('SeatSelection follows by its token, also as the shopper whom the site names', async () => {
  server.lock('123', ['A01'], 'me');
  render(<SeatSelection showtimeId="123" layout={hall} token={async () => server.token()} />);
  await waitFor(() => {
    const subscribes = server.received.filter((frame) => frame.type === 'subscribe');
    expect(subscribes.at(-1)).toMatchObject({ sessionId: 'me', token: expect.any(String) });
  });
});

test('a function that fails is told as the connection is', async () => {
  const { result } = renderHook(() =>
    useWebSocketSeatUpdates('123', undefined, {
      token: () => Promise.reject(new Error('site away')),
    }),
  );
  await waitFor(() => expect(result.current.error?.code).toBe('TOKEN'));
  expect(result.current).toMatchObject({ status: 'reconnecting', stale: true });
});
