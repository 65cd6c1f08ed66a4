// One seat, in the map and in the list. It renders again when its own seat changes, and for no
// other: a hall has thousands.

import type { Showtime } from '@seatlock/client';
import { type CSSProperties, memo } from 'react';
import type { Place } from './layout.js';
import type { Messages, SeatPhase } from './messages.js';
import type { SeatSelectionStore } from './selection_types.js';
import { useSeatPhase } from './use_seat_selection.js';

/** What all seats of one drawing share. The same object until a part changes. */
export interface Drawing {
  readonly selection: SeatSelectionStore;
  readonly showtime: Showtime;
  readonly messages: Messages;
}

interface SeatProps {
  readonly drawing: Drawing;
  readonly place: Place;
  /** It is the tab stop of the grid, or of its row in the list. */
  readonly tabStop: boolean;
  /** How it acts: a cell of the grid, or a checkbox of the list. */
  readonly role: 'gridcell' | 'checkbox';
}

const OWN: readonly SeatPhase[] = ['selecting', 'selected', 'bought'];
const TAKEN: readonly SeatPhase[] = ['locked', 'booked', 'bought'];

// Pure, here and below: a page that takes the hook alone does not pay for the grid.
export const Seat = /* @__PURE__ */ memo(function Seat({
  drawing,
  place,
  tabStop,
  role,
}: SeatProps) {
  const { selection, showtime, messages } = drawing;
  const { seat, label, priceText, color } = place;
  const phase = useSeatPhase(selection, showtime, seat.seatId);
  const own = OWN.includes(phase);
  const inGrid = role === 'gridcell';
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role is a variable.
    <div
      role={role}
      className="sl-seat"
      data-seat-id={seat.seatId}
      data-state={phase === 'bought' ? 'booked' : phase}
      data-mine={phase === 'bought' || undefined}
      aria-label={`${label}, ${priceText}, ${messages.states[phase]}`}
      aria-selected={inGrid ? own : undefined}
      aria-checked={inGrid ? undefined : own}
      aria-disabled={TAKEN.includes(phase) || undefined}
      tabIndex={tabStop ? 0 : -1}
      data-aisle={(inGrid && seat.aisleAfter) || undefined}
      style={seatStyle(inGrid ? seat.gapBefore : undefined, color)}
    >
      <span aria-hidden="true">{seat.number}</span>
    </div>
  );
});

function seatStyle(gap: number | undefined, color: string | undefined): CSSProperties {
  const style: CSSProperties & { '--sl-gap'?: number; '--sl-category'?: string } = {};
  if (gap !== undefined) style['--sl-gap'] = gap;
  if (color !== undefined) style['--sl-category'] = color;
  return style;
}

/** The seat that an event happened in. */
export function seatIdOf(target: EventTarget): string | undefined {
  const element = target instanceof Element ? target.closest('[data-seat-id]') : null;
  return element?.getAttribute('data-seat-id') ?? undefined;
}
