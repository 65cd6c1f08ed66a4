// The hook of origin.md: follows a showtime, calls back for each change, and says how the
// connection is.

import type {
  ConnectionError,
  ConnectionState,
  SeatUpdate,
  ShowtimeOptions,
} from '@seatlock/client';
import { useCallback, useEffect, useRef } from 'react';
import { connectionText, connectionTexts, refusedText } from './messages.js';
import { type Loose, useConnection, useShowtime } from './use_showtime.js';

/** Where and as whom to follow; see `ShowtimeOptions`. */
export type SeatUpdatesOptions = Loose<ShowtimeOptions>;

const TEXTS = { connection: connectionTexts, refused: refusedText };

/** What the hook says of the connection. */
export interface SeatUpdates {
  /** Each change is shown as it comes: true in the status `live` alone. */
  readonly isConnected: boolean;
  /**
   * The status in words: Idle, Connecting, Connected, Seat service away, Seats may be out of date
   * (`stale` with an `error`), Connection error, Disconnected.
   */
  readonly connectionStatus: string;
  readonly status: ConnectionState['status'];
  /** Why it is not live; null where nothing is wrong. */
  readonly error: ConnectionError | null;
  /** When the next attempt is, in Unix ms by this machine's clock; null: none is planned. */
  readonly retryAt: number | null;
  /** What is shown may be old. */
  readonly stale: boolean;
  /** The last reconnect missed nothing. */
  readonly recovered: boolean;
  /** Tries at once where the status is `reconnecting`, `closed`, or `stale` with an `error`. */
  readonly reconnect: () => void;
}

/**
 * Follows a showtime while the component is mounted.
 *
 * `onUpdate` is called for each change of a seat, and after a snapshot once for each seat that
 * differs from what was known (cause `snapshot`). It may be written inline: a new function does not
 * connect anew, and the newest one is called.
 *
 * All hooks of a page that follow the same URL as the same session share one socket. On a server
 * nothing is connected and the status is `idle`.
 */
export function useWebSocketSeatUpdates(
  showtimeId: string,
  onUpdate?: (update: SeatUpdate) => void,
  options: SeatUpdatesOptions = {},
): SeatUpdates {
  const latest = useRef(onUpdate);
  useEffect(() => {
    latest.current = onUpdate;
  });
  const followed = useShowtime(showtimeId, options);
  useEffect(() => followed.onUpdate((update) => latest.current?.(update)), [followed]);
  const reconnect = useCallback(() => followed.reconnect(), [followed]);
  const connection = useConnection(followed);
  return {
    isConnected: connection.status === 'live',
    connectionStatus: connectionText(connection, TEXTS),
    ...connection,
    reconnect,
  };
}
