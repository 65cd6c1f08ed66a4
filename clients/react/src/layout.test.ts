// Layouts: names, prices, places.

import { expect, test } from 'vitest';
import { type HallLayout, readLayout } from './layout.js';
import { defaultMessages } from './messages.js';
import { hall, seatsOf } from './testing/hall.js';

const read = (layout: HallLayout) => readLayout(layout, defaultMessages.seatName);

test('CountsGapsAndAislesAsPlaces', () => {
  const { rows } = read(hall);
  expect(rows.map((row) => row.places.map((place) => place.column))).toEqual([
    [0, 1, 3, 4, 5, 6],
    [1, 2, 4, 5],
    [0, 1, 3],
  ]);
});

test('NamesTheSectionWhereRowLabelsComeAgain', () => {
  const [stalls, balcony] = hall.sections;
  const rows = [{ label: 'A', seats: seatsOf('X', 2) }];
  const sections = stalls && balcony ? [stalls, { ...balcony, rows }] : [];
  const { places } = read({ ...hall, sections });
  expect(places.get('X01')?.label).toBe('Balcony, row A, seat 1');
  expect(places.get('A01')?.label).toBe('Stalls, row A, seat 1');
  expect(places.get('B01')?.label).toBe('Row B, seat 1');
});

test.each([
  ['en-IE', 'EUR', 1250, '€12.50'],
  ['de-DE', 'EUR', 1250, '12,50\u00a0€'],
  ['ja-JP', 'JPY', 1250, '￥1,250'],
  ['en-US', 'KWD', 1250, 'KWD\u00a01.250'],
])('Writes for %s %s of %i minor units %s', (locale, currency, amount, text) => {
  expect(read({ ...hall, locale, currency }).money(amount)).toBe(text);
});

test('RefusesASeatThatStandsTwice', () => {
  const rows = [{ label: 'A', seats: [...seatsOf('A', 2), ...seatsOf('A', 1)] }];
  const sections = [{ id: 's', name: 'S', rows }];
  expect(() => read({ ...hall, sections })).toThrow('the layout has seat A01 twice');
});

test('ARowWithoutSeatsIsPassedOver', () => {
  const rows = [
    { label: 'A', seats: seatsOf('A', 1) },
    { label: 'B', seats: [] },
    { label: 'C', seats: seatsOf('C', 1) },
  ];
  const { rows: drawn } = read({ ...hall, sections: [{ id: 's', name: 'S', rows }] });
  expect(drawn.map((row) => row.row.label)).toEqual(['A', 'C']);
});
