// The keys of a hall, handled once for all its seats: arrows, Home and End lead from seat to seat
// by place, Space and Enter toggle.

import type { KeyboardEvent } from 'react';
import { type Hall, placeAfterKey } from './layout.js';
import { seatIdOf } from './seat.js';
import type { SeatSelectionStore } from './selection_types.js';

const KEYS = new Set(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End']);

/** For the element around the seats of `hall`. */
export function handleKey(event: KeyboardEvent, hall: Hall, selection: SeatSelectionStore): void {
  const from = hall.places.get(seatIdOf(event.target) ?? '');
  if (!from || event.altKey || event.metaKey) return;
  if (event.key === ' ' || event.key === 'Enter') {
    event.preventDefault();
    if (!event.repeat) selection.toggle(from.seat.seatId);
    return;
  }
  const to = placeAfterKey(hall, from, mirrored(event), event.ctrlKey);
  if (KEYS.has(event.key)) event.preventDefault();
  if (to) seatIn(event.currentTarget, to.seat.seatId)?.focus();
}

/** Where text runs from right to left, so do the seats. */
function mirrored({ key, target }: KeyboardEvent): string {
  const rtl = target instanceof Element && getComputedStyle(target).direction === 'rtl';
  if (!rtl) return key;
  if (key === 'ArrowLeft') return 'ArrowRight';
  return key === 'ArrowRight' ? 'ArrowLeft' : key;
}

function seatIn(around: Element, seatId: string): HTMLElement | undefined {
  const seats = around.querySelectorAll<HTMLElement>('[data-seat-id]');
  return [...seats].find((seat) => seat.dataset.seatId === seatId);
}
