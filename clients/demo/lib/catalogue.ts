// Films, showtimes and halls, read from the database; and the way from a seat id on screen to the
// database's id, which is what orders are kept by.

import type { HallLayout, LayoutSeat, Row, Section } from '@seatlock/react';
import { all, type Db, one } from './db';

export const CURRENCY = 'EUR';
export const LOCALE = 'en-IE';

export interface Showing {
  readonly id: string;
  readonly starts: string;
  readonly hall: string;
  readonly hallId: number;
  readonly film: string;
  readonly year: number;
  readonly minutes: number;
  readonly note: string;
}

/** A seat of a showtime as the shop knows it. */
export interface ShopSeat {
  /** The database's id. */
  readonly id: number;
  readonly seatId: string;
  readonly cents: number;
}

const SHOWING = `
  SELECT s.id, s.starts, h.name AS hall, h.id AS hallId, f.title AS film, f.year, f.minutes, f.note
  FROM showtimes s JOIN films f ON f.id = s.film_id JOIN halls h ON h.id = s.hall_id`;

/** All showtimes, those of a film together. */
export function showings(db: Db): Showing[] {
  return all<Showing>(db, `${SHOWING} ORDER BY f.id, s.id`);
}

export function showing(db: Db, showtimeId: string): Showing | undefined {
  return one<Showing>(db, `${SHOWING} WHERE s.id = ?`, showtimeId);
}

/** Cents, written as money. */
export function money(cents: number): string {
  return new Intl.NumberFormat(LOCALE, { style: 'currency', currency: CURRENCY }).format(
    cents / 100,
  );
}

/** The seats named, in the order asked for; and the names that the hall does not have. */
export function findSeats(
  db: Db,
  showtimeId: string,
  seatIds: readonly string[],
): { seats: ShopSeat[]; unknown: string[] } {
  const found = new Map<string, ShopSeat>();
  for (const seatId of new Set(seatIds)) {
    const seat = one<ShopSeat>(
      db,
      `SELECT seats.id, screen_id AS seatId, cents
       FROM showtimes s
         JOIN seats ON seats.hall_id = s.hall_id
         JOIN prices p ON p.showtime_id = s.id AND p.category_id = seats.category_id
       WHERE s.id = ? AND screen_id = ?`,
      showtimeId,
      seatId,
    );
    if (seat !== undefined) {
      found.set(seatId, seat);
    }
  }
  const unknown = [...new Set(seatIds)].filter((seatId) => !found.has(seatId));
  return { seats: [...found.values()], unknown };
}

interface SeatRecord {
  readonly sectionId: number;
  readonly section: string;
  readonly rowId: number;
  readonly row: string;
  readonly seatId: string;
  readonly number: number;
  readonly category: string;
  readonly aisleAfter: number;
  readonly gapBefore: number;
}

/** What the seat map draws. */
export function hallLayout(db: Db, showing: Showing): HallLayout {
  const records = all<SeatRecord>(
    db,
    `SELECT sections.id AS sectionId, sections.name AS section, r.id AS rowId, r.label AS row,
       s.screen_id AS seatId, s.number, s.category_id AS category,
       s.aisle_after AS aisleAfter, s.gap_before AS gapBefore
     FROM seats s JOIN seat_rows r ON r.id = s.row_id JOIN sections ON sections.id = r.section_id
     WHERE s.hall_id = ? ORDER BY sections.id, r.id, s.number`,
    showing.hallId,
  );
  return {
    name: showing.hall,
    locale: LOCALE,
    currency: CURRENCY,
    categories: layoutCategories(db, showing.id),
    sections: layoutSections(records),
  };
}

function layoutCategories(db: Db, showtimeId: string): HallLayout['categories'] {
  const rows = all<{ id: string; name: string; price: number; color: string }>(
    db,
    `SELECT c.id, c.name, p.cents AS price, c.color
     FROM prices p JOIN categories c ON c.id = p.category_id
     WHERE p.showtime_id = ? ORDER BY c.rowid`,
    showtimeId,
  );
  // libsql adds a field of its own to each row, which the page has no use for.
  return rows.map(({ id, name, price, color }) => ({ id, name, price, color }));
}

function layoutSections(records: readonly SeatRecord[]): Section[] {
  const sections = new Map<number, Section & { rows: Row[] }>();
  const rows = new Map<number, Row & { seats: LayoutSeat[] }>();
  for (const record of records) {
    const section = sections.get(record.sectionId) ?? {
      id: String(record.sectionId),
      name: record.section,
      rows: [],
    };
    sections.set(record.sectionId, section);
    let row = rows.get(record.rowId);
    if (row === undefined) {
      row = { label: record.row, seats: [] };
      rows.set(record.rowId, row);
      section.rows.push(row);
    }
    row.seats.push(layoutSeat(record));
  }
  return [...sections.values()];
}

function layoutSeat(record: SeatRecord): LayoutSeat {
  return {
    seatId: record.seatId,
    number: String(record.number),
    category: record.category,
    ...(record.aisleAfter === 1 ? { aisleAfter: true } : {}),
    ...(record.gapBefore > 0 ? { gapBefore: record.gapBefore } : {}),
  };
}
