// @seatlock/react: a hook that follows a showtime's seats, a headless selection, and SeatSelection.

export type {
  Category,
  HallLayout,
  LayoutSeat,
  Row,
  SeatNamer,
  Section,
} from './layout.js';
export { defaultMessages, type Messages, type SeatPhase } from './messages.js';
export type { CallError } from './seat_calls.js';
export { SeatSelection, type SeatSelectionProps } from './seat_selection.js';
export { createSeatSelection } from './selection.js';
export type {
  HoldFailure,
  SeatSelectionStore,
  SelectedSeat,
  SelectionEvents,
  SelectionOptions,
  SelectionSettings,
  SelectionSnapshot,
  Told,
} from './selection_types.js';
export {
  type UseSeatSelection,
  type UseSeatSelectionOptions,
  useSeatPhase,
  useSeatSelection,
} from './use_seat_selection.js';
export { type Loose, useConnection, useSeat, useShowtime } from './use_showtime.js';
export {
  type SeatUpdates,
  type SeatUpdatesOptions,
  useWebSocketSeatUpdates,
} from './use_websocket_seat_updates.js';
