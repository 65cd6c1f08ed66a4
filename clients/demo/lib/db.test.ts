import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findSeats, hallLayout, showing, showings } from './catalogue';
import { all, openDb } from './db';
import { isSameOrder, openOrder, orderOf, orderSeats } from './orders';
import { secretInFile } from './secret';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'seatlock-site-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function counts(path: string): unknown {
  const db = openDb(path);
  const tables = ['films', 'halls', 'sections', 'seat_rows', 'seats', 'showtimes', 'prices'];
  const found = tables.map((table) => all<{ n: number }>(db, `SELECT count(*) AS n FROM ${table}`));
  db.close();
  return found.map(([row]) => row?.n);
}

test('a new database is made, folders and all, and opening it again adds nothing', () => {
  const path = join(folder, 'deep', 'site.db');
  const first = counts(path);
  expect(first).not.toContain(0);
  expect(counts(path)).toEqual(first);
});

test('a database of a newer site is left alone', () => {
  const path = join(folder, 'newer.db');
  const db = openDb(path);
  db.exec('PRAGMA user_version = 99');
  db.close();
  expect(() => openDb(path)).toThrow('newer site');
});

describe('the catalogue', () => {
  const db = openDb(':memory:');

  test('always has showtime 123, with the seats that people know', () => {
    expect(showing(db, '123')).toMatchObject({ hall: 'Little Hall' });
    const seatIds = Array.from({ length: 12 }, (_, i) => `A${String(i + 1).padStart(2, '0')}`);
    const { seats, unknown } = findSeats(db, '123', seatIds);
    expect(unknown).toEqual([]);
    expect(seats.map(({ seatId }) => seatId)).toEqual(seatIds);
    expect(new Set(seats.map(({ id }) => id)).size).toBe(12);
    expect(seats.every(({ cents }) => cents > 0)).toBe(true);
  });

  test('has halls of 60, 320 and 2,000 seats, each seat once and with a price', () => {
    const sizes = showings(db).map((show) => {
      const layout = hallLayout(db, show);
      const seats = layout.sections.flatMap(({ rows }) => rows.flatMap((row) => row.seats));
      const priced = new Set(layout.categories.map(({ id }) => id));
      expect(seats.every(({ category }) => priced.has(category))).toBe(true);
      expect(new Set(seats.map(({ seatId }) => seatId)).size).toBe(seats.length);
      return seats.length;
    });
    expect([...new Set(sizes)].sort((a, b) => a - b)).toEqual([60, 320, 2000]);
  });

  test('gives plain objects, as what a page is handed must be', () => {
    const show = showing(db, '301');
    expect(show).toBeDefined();
    const layout = show && hallLayout(db, show);
    expect(JSON.parse(JSON.stringify(layout))).toEqual(layout);
    expect(JSON.stringify(layout)).not.toContain('_metadata');
  });

  test('names the seats that a hall does not have', () => {
    const { seats, unknown } = findSeats(db, '123', ['A01', 'Z99', 'A1', 'A01', 'Z99']);
    expect(seats.map(({ seatId }) => seatId)).toEqual(['A01']);
    expect(unknown).toEqual(['Z99', 'A1']);
  });
});

describe('orders', () => {
  const db = openDb(':memory:');
  const wish = (orderKey: string, seatIds: string[], sessionId = 'ann') => ({
    sessionId,
    orderKey,
    showtimeId: '123',
    name: 'Ann',
    seats: findSeats(db, '123', seatIds).seats,
  });

  test('of the same key are one, and its seats are those it began with', () => {
    const order = openOrder(db, wish('key-1', ['A02', 'A01']));
    const again = openOrder(db, wish('key-1', ['A02', 'A01']));
    expect(again.id).toBe(order.id);
    expect(isSameOrder(db, again, wish('key-1', ['A01', 'A02']))).toBe(true);
    expect(isSameOrder(db, again, wish('key-1', ['A01']))).toBe(false);
    expect(orderSeats(db, order.id).map(({ seatId }) => seatId)).toEqual(['A01', 'A02']);
  });

  test('are kept by the ids of the database, not by those on screen', () => {
    const order = openOrder(db, wish('key-2', ['B03']));
    const [row] = all<{ id: number }>(
      db,
      'SELECT seat_id AS id FROM order_seats WHERE order_id = ?',
      order.id,
    );
    expect(row?.id).toBe(findSeats(db, '123', ['B03']).seats[0]?.id);
  });

  test('are seen by their shopper alone, also where another made the same key', () => {
    const order = openOrder(db, wish('key-3', ['C01']));
    expect(orderOf(db, order.id, 'ann')?.id).toBe(order.id);
    expect(orderOf(db, order.id, 'bob')).toBeUndefined();
    expect(openOrder(db, wish('key-3', ['C02'], 'bob')).id).not.toBe(order.id);
  });
});

test('a secret is made once, for its owner alone to read', () => {
  const path = join(folder, 'site.db.secret');
  const secret = secretInFile(path);
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(secretInFile(path)).toBe(secret);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
