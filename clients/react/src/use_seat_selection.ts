// The selection in React: one store a mounted component, configured anew at each rendering.

import {
  type InitialSnapshot,
  type SeatLocks,
  type SeatLocksAnswer,
  type Showtime,
  seatLocks,
  type TokenFunction,
} from '@seatlock/client';
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import type { SeatPhase } from './messages.js';
import { createSeatSelection } from './selection.js';
import type {
  SeatSelectionStore,
  SelectionSettings,
  SelectionSnapshot,
} from './selection_types.js';
import { openShowtime, useNewest, useUnfollowedShowtime } from './use_showtime.js';

/** Where the selection's seats come from, and how it behaves. */
export interface UseSeatSelectionOptions extends SelectionSettings {
  /** The edge; see `ShowtimeOptions.url`. */
  readonly url?: string | undefined;
  /** The site's calls. Default `/api/seat-locks`. */
  readonly apiUrl?: string | undefined;
  /** Calls to use in place of those of `apiUrl`. Keep it the same object. */
  readonly api?: SeatLocks | undefined;
  /**
   * The shopper. Default: whom the site's first answer names; until then the page follows as a
   * viewer, on a socket that is closed then.
   */
  readonly sessionId?: string | undefined;
  /** Fetches a token for the edge; see `ShowtimeOptions.token`. May be written inline. */
  readonly token?: TokenFunction | undefined;
  readonly initialSnapshot?: InitialSnapshot | undefined;
}

/** What `useSeatSelection` gives: what is shown, and the store that acts. */
export interface UseSeatSelection extends SelectionSnapshot {
  /** For `useSeatPhase`, and to act. */
  readonly selection: SeatSelectionStore;
}

/**
 * The selection of the page's shopper in a showtime, followed while the component is mounted.
 * Renders again once a second while seats are held: draw seats in components of their own, each
 * with `useSeatPhase`.
 */
export function useSeatSelection(
  showtimeId: string,
  options: UseSeatSelectionOptions = {},
): UseSeatSelection {
  const selection = useSelectionStore(showtimeId, options);
  return { ...useSelectionSnapshot(selection), selection };
}

/** The store alone: no rendering of its own. */
export function useSelectionStore(
  showtimeId: string,
  options: UseSeatSelectionOptions,
): SeatSelectionStore {
  const { url, apiUrl, api, sessionId, initialSnapshot } = options;
  const token = useNewest(options.token);
  const first = useUnfollowedShowtime(showtimeId, { url, sessionId, token, initialSnapshot });
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the first snapshot counts.
  const selection = useMemo(
    () =>
      createSeatSelection({
        showtime: first,
        api: api ?? seatLocks(apiUrl === undefined ? {} : { url: apiUrl }),
        open: (named, answer) => {
          const snapshot = stillCurrent(first, initialSnapshot, answer);
          return openShowtime(showtimeId, {
            url,
            sessionId: named,
            token,
            initialSnapshot: snapshot,
          });
        },
      }),
    [showtimeId, url, first, api, apiUrl, token],
  );
  useEffect(() => selection.configure(options));
  useEffect(() => selection.start(), [selection]);
  return selection;
}

/** What is shown beside the seats. */
export function useSelectionSnapshot(selection: SeatSelectionStore): SelectionSnapshot {
  return useSyncExternalStore(
    selection.subscribe,
    selection.getSnapshot,
    selection.getServerSnapshot,
  );
}

/** The followed showtime, as the session that the shopper turned out to be. */
export function useSelectionShowtime(selection: SeatSelectionStore): Showtime {
  return useSyncExternalStore(
    selection.subscribe,
    () => selection.getSnapshot().showtime,
    () => selection.getServerSnapshot().showtime,
  );
}

/**
 * What one seat is to the shopper: renders again when this changes, and for no other seat.
 * `followed` is the snapshot's `showtime`.
 */
export function useSeatPhase(
  selection: SeatSelectionStore,
  followed: Showtime,
  seatId: string,
): SeatPhase {
  // biome-ignore lint/correctness/useExhaustiveDependencies: `followed` is what `onSeat` uses.
  const subscribe = useCallback(
    (listener: () => void) => selection.onSeat(seatId, listener),
    [selection, followed, seatId],
  );
  return useSyncExternalStore(
    subscribe,
    () => selection.phase(seatId),
    () => selection.initialPhase(seatId),
  );
}

/** The page's snapshot with the answer's holder in place of its own, if nothing happened since. */
function stillCurrent(
  first: Showtime,
  snapshot: InitialSnapshot | undefined,
  { seats, revision }: SeatLocksAnswer,
): InitialSnapshot | undefined {
  const now = first.position();
  if (snapshot === undefined || now?.revision !== snapshot.revision) return undefined;
  // A newer answer is shown over it; an older one, of before the page, is not.
  const yourSeats = revision === snapshot.revision ? seats : [];
  return now.epoch === snapshot.epoch ? { ...snapshot, yourSeats } : undefined;
}
