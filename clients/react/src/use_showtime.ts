// A showtime and its seats in React: made while rendering, followed while mounted, and read through
// useSyncExternalStore, so that a server's page hydrates as it was rendered.

import {
  type ConnectionState,
  type SeatState,
  type Showtime,
  type ShowtimeOptions,
  showtime,
  type TokenFunction,
} from '@seatlock/client';
import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';

/** `undefined` may be given for any option, which `exactOptionalPropertyTypes` forbids the core. */
export type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

/**
 * A showtime that is followed while the component is mounted. The same object while `showtimeId`,
 * `url` and `sessionId` stay. `initialSnapshot` is read when the object is made. `token` may be
 * written inline: the newest function is called.
 */
export function useShowtime(showtimeId: string, options: Loose<ShowtimeOptions> = {}): Showtime {
  const followed = useUnfollowedShowtime(showtimeId, options);
  useEffect(() => followed.follow(), [followed]);
  return followed;
}

/** The same, but nothing is opened: whoever uses it follows it. */
export function useUnfollowedShowtime(
  showtimeId: string,
  { url, sessionId, token, initialSnapshot }: Loose<ShowtimeOptions>,
): Showtime {
  const fetchToken = useNewest(token);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the first snapshot counts.
  return useMemo(
    () => openShowtime(showtimeId, { url, sessionId, token: fetchToken, initialSnapshot }),
    [showtimeId, url, sessionId, fetchToken],
  );
}

/** A function that stays the same and calls that of the last rendering; undefined without one. */
export function useNewest(token: TokenFunction | undefined): TokenFunction | undefined {
  const newest = useRef(token);
  useEffect(() => {
    newest.current = token;
  });
  const given = token !== undefined;
  return useMemo(() => {
    if (!given) return undefined;
    return async () => (await newest.current?.()) ?? '';
  }, [given]);
}

/** `showtime()` for options that may be undefined. */
export function openShowtime(showtimeId: string, options: Loose<ShowtimeOptions>): Showtime {
  const { url, sessionId, token, initialSnapshot } = options;
  return showtime(showtimeId, {
    ...(url !== undefined && { url }),
    ...(sessionId !== undefined && { sessionId }),
    ...(token !== undefined && { token }),
    ...(initialSnapshot !== undefined && { initialSnapshot }),
  });
}

/** One seat: the component renders again when this seat changes, and for no other. */
export function useSeat(followed: Showtime, seatId: string): SeatState {
  const subscribe = useCallback(
    (listener: () => void) => followed.onSeat(seatId, listener),
    [followed, seatId],
  );
  return useSyncExternalStore(
    subscribe,
    () => followed.seat(seatId),
    () => followed.initialSeat(seatId),
  );
}

// What a server renders, and so what hydration starts from: nobody has connected yet.
const IDLE: ConnectionState = {
  status: 'idle',
  error: null,
  retryAt: null,
  stale: true,
  recovered: false,
};

/** The connection of a followed showtime. */
export function useConnection(followed: Showtime): ConnectionState {
  const subscribe = useCallback(
    (listener: () => void) => followed.onConnection(listener),
    [followed],
  );
  return useSyncExternalStore(
    subscribe,
    () => followed.connection(),
    () => IDLE,
  );
}
