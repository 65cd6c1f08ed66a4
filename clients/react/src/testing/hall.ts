// Layouts that the tests draw.

import type { HallLayout, LayoutSeat } from '../layout.js';

/** A row's seats `A01`, `A02` …, with an aisle after the second. */
export function seatsOf(row: string, count: number, category = 'std'): LayoutSeat[] {
  return Array.from({ length: count }, (_, i) => ({
    seatId: `${row}${String(i + 1).padStart(2, '0')}`,
    number: String(i + 1),
    category,
    ...(i === 1 && { aisleAfter: true }),
  }));
}

/**
 * ```
 *          column 0 1 2 3 4 5 6
 * Stalls   A      1 2   3 4 5 6
 *          B        1 2   3 4
 * Balcony  C      1 2   3
 * ```
 */
export const hall: HallLayout = {
  name: 'Hall 1',
  locale: 'en-IE',
  currency: 'EUR',
  categories: [
    { id: 'std', name: 'Standard', price: 1200, color: '#1d5fd1' },
    { id: 'lux', name: 'Sofa', price: 1850 },
  ],
  sections: [
    {
      id: 'stalls',
      name: 'Stalls',
      rows: [
        { label: 'A', seats: seatsOf('A', 6) },
        {
          label: 'B',
          seats: seatsOf('B', 4).map((seat, i) => (i === 0 ? { ...seat, gapBefore: 1 } : seat)),
        },
      ],
    },
    { id: 'balcony', name: 'Balcony', rows: [{ label: 'C', seats: seatsOf('C', 3, 'lux') }] },
  ],
};

/** A hall of `rows` × `columns` seats. */
export function bigHall(rows: number, columns: number): HallLayout {
  const labels = Array.from({ length: rows }, (_, i) => `R${i + 1}-`);
  const section = labels.map((label) => ({ label, seats: seatsOf(label, columns) }));
  return { ...hall, sections: [{ id: 'all', name: 'All', rows: section }] };
}
