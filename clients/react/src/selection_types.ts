// What users of a selection see: its settings and events, what it shows, what it does.

import type { OwnSeat, SeatLocks, SeatLocksAnswer, Showtime } from '@seatlock/client';
import type { Messages, SeatPhase } from './messages.js';
import type { CallError } from './seat_calls.js';

/** Why something that the shopper asked for was not done. */
export interface HoldFailure {
  readonly action: 'lock' | 'unlock' | 'extend';
  readonly seatIds: readonly string[];
  /** The contract's reason, or `NETWORK`, `TIMEOUT`, `BAD_ANSWER`. */
  readonly code: string;
  /** As the shopper is told it. */
  readonly message: string;
  /** The seats that stood in the way, and how. */
  readonly seats: CallError['seats'];
}

/** What an app may want to hear of. */
export interface SelectionEvents {
  /** The seats held, as confirmed by the server, changed: which they are, or until when. */
  readonly onSelectionChange?: ((seats: readonly OwnSeat[]) => void) | undefined;
  /** A seat could not be held, given back or kept longer. */
  readonly onHoldFailed?: ((failure: HoldFailure) => void) | undefined;
  /** A warning's time has come; `msLeft` is of the first of the seats to end. */
  readonly onHoldExpiring?:
    | ((e: { readonly seatIds: readonly string[]; readonly msLeft: number }) => void)
    | undefined;
  /** Seats are no longer held, and nobody of this shopper asked for that. */
  readonly onHoldExpired?: ((e: { readonly seatIds: readonly string[] }) => void) | undefined;
  /** The shopper wanted a seat that somebody else holds (`locked`) or bought (`booked`). */
  readonly onSeatTaken?:
    | ((e: { readonly seatId: string; readonly status: 'locked' | 'booked' }) => void)
    | undefined;
}

/** How a selection behaves; may be changed while it is in use. */
export interface SelectionSettings extends SelectionEvents {
  /** So many seats at a time; more are refused without a call. Default: the server's limit. */
  readonly maxSeats?: number | undefined;
  /** How long before the end of a hold to warn, in ms. Default 60 s and 20 s. */
  readonly holdWarningsMs?: readonly number[] | undefined;
  readonly messages?: Messages | undefined;
  /** A seat's name in messages. Default: its id. */
  readonly nameSeat?: ((seatId: string) => string) | undefined;
  /** A seat's price in messages. Default: none. */
  readonly priceSeat?: ((seatId: string) => string) | undefined;
}

export interface SelectionOptions {
  readonly showtime: Showtime;
  readonly api: SeatLocks;
  /** The same showtime as another session: asked for when an answer names one. */
  readonly open: (sessionId: string, answer: SeatLocksAnswer) => Showtime;
}

/** A seat that the shopper has to do with. */
export interface SelectedSeat {
  readonly seatId: string;
  readonly phase: SeatPhase;
  /** Unix ms by the server's clock; undefined until confirmed. */
  readonly expiresAt: number | undefined;
}

/** A text for the shopper. `id` rises, so that the same text twice is two. */
export interface Told {
  readonly id: number;
  readonly text: string;
  /** To be heard, not seen: it would soon be old, and the countdown shows it. */
  readonly spoken: boolean;
}

/** What is shown beside the seats. The same object until something in it changes. */
export interface SelectionSnapshot {
  /** As the session that the shopper is; another object once the site names another session. */
  readonly showtime: Showtime;
  /** Held, being taken or being given back, ordered by seat id. */
  readonly seats: readonly SelectedSeat[];
  /** Whole seconds until the first hold ends, never below 0; null: nothing is held. */
  readonly secondsLeft: number | null;
  readonly extending: boolean;
  /** A refusal, until the shopper's next step. */
  readonly alert: Told | null;
  /** The last event to announce politely. */
  readonly notice: Told | null;
}

/** One shopper's selection: a store for `useSyncExternalStore`, or for any other framework. */
export interface SeatSelectionStore {
  /**
   * Follows the showtime and restores what is held. The last one to call the returned function ends
   * it.
   */
  start(): () => void;
  configure(settings: SelectionSettings): void;
  subscribe(listener: () => void): () => void;
  getSnapshot(): SelectionSnapshot;
  /** What a server renders. */
  getServerSnapshot(): SelectionSnapshot;
  phase(seatId: string): SeatPhase;
  initialPhase(seatId: string): SeatPhase;
  /** Calls `listener` when this seat's phase may have changed; holds for the current `showtime`. */
  onSeat(seatId: string, listener: () => void): () => void;
  /** Takes a free seat, gives back a held one, says why a taken one cannot be had. */
  toggle(seatId: string): void;
  /** Asks for all that is held to be kept longer. */
  extend(): Promise<void>;
  /** Takes the alert away. */
  dismiss(): void;
}
