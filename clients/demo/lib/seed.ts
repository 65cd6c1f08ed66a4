// What a new database is filled with: silent films that belong to everybody, and three halls, of
// 60, 320 and 2,000 seats.

import type { Db } from './db';

const FILMS = [
  {
    id: 1,
    title: 'Safety Last!',
    year: 1923,
    minutes: 73,
    note: 'A clerk climbs a department store.',
  },
  { id: 2, title: 'Nosferatu', year: 1922, minutes: 94, note: 'A count buys a house by the sea.' },
  {
    id: 3,
    title: 'The General',
    year: 1926,
    minutes: 79,
    note: 'An engine driver chases his engine.',
  },
  {
    id: 4,
    title: 'A Trip to the Moon',
    year: 1902,
    minutes: 15,
    note: 'Six astronomers leave by cannon.',
  },
] as const;

const CATEGORIES = [
  { id: 'standard', name: 'Standard', color: '#3b6ea5' },
  { id: 'comfort', name: 'Comfort', color: '#8a5a00' },
  { id: 'balcony', name: 'Balcony', color: '#5b4b8a' },
] as const;

type Category = (typeof CATEGORIES)[number]['id'];

interface SectionPlan {
  readonly name: string;
  readonly labels: readonly string[];
  readonly seats: number;
  /** An aisle follows these seat numbers. */
  readonly aisles: readonly number[];
  readonly category: (rowIndex: number) => Category;
  /** Empty places before the first seat of a row. */
  readonly indent?: (rowIndex: number) => number;
}

interface HallPlan {
  readonly id: number;
  readonly name: string;
  readonly sections: readonly SectionPlan[];
}

const HALLS: readonly HallPlan[] = [
  {
    id: 1,
    name: 'Little Hall',
    sections: [
      {
        name: 'Stalls',
        labels: letters(5),
        seats: 12,
        aisles: [6],
        category: (row) => (row < 3 ? 'standard' : 'comfort'),
      },
    ],
  },
  {
    id: 2,
    name: 'Panorama',
    sections: [
      {
        name: 'Stalls',
        labels: letters(8),
        seats: 40,
        aisles: [10, 30],
        category: (row) => (row < 6 ? 'standard' : 'comfort'),
        indent: (row) => (row === 0 ? 1 : 0),
      },
    ],
  },
  {
    id: 3,
    name: 'Grand Theatre',
    sections: [
      {
        name: 'Stalls',
        labels: letters(25),
        seats: 48,
        aisles: [12, 36],
        category: (row) => (row >= 8 && row < 14 ? 'comfort' : 'standard'),
      },
      {
        name: 'Balcony',
        labels: letters(20).map((letter) => `B${letter}`),
        seats: 40,
        aisles: [10, 30],
        category: () => 'balcony',
        indent: () => 4,
      },
    ],
  },
];

const SHOWTIMES = [
  { id: '123', film: 1, hall: 1, starts: 'Friday 20:00' },
  { id: '124', film: 1, hall: 2, starts: 'Saturday 17:30' },
  { id: '201', film: 2, hall: 2, starts: 'Friday 21:15' },
  { id: '202', film: 2, hall: 1, starts: 'Sunday 22:00' },
  { id: '301', film: 3, hall: 3, starts: 'Saturday 20:00' },
  { id: '401', film: 4, hall: 3, starts: 'Sunday 11:00' },
] as const;

/** In cents, by hall and category. */
const PRICES: Readonly<Record<number, Partial<Record<Category, number>>>> = {
  1: { standard: 1200, comfort: 1500 },
  2: { standard: 1350, comfort: 1750 },
  3: { standard: 2400, comfort: 3200, balcony: 1800 },
};

/** Call it in a transaction, on empty tables. */
export function seed(db: Db): void {
  const film = db.prepare('INSERT INTO films VALUES (?, ?, ?, ?, ?)');
  for (const { id, title, year, minutes, note } of FILMS) {
    film.run(id, title, year, minutes, note);
  }
  const category = db.prepare('INSERT INTO categories VALUES (?, ?, ?)');
  for (const { id, name, color } of CATEGORIES) {
    category.run(id, name, color);
  }
  for (const hall of HALLS) {
    seedHall(db, hall);
  }
  seedShowtimes(db);
}

function seedHall(db: Db, hall: HallPlan): void {
  db.prepare('INSERT INTO halls VALUES (?, ?)').run(hall.id, hall.name);
  const insert = db.prepare('INSERT INTO sections (hall_id, name) VALUES (?, ?)');
  for (const section of hall.sections) {
    const { lastInsertRowid } = insert.run(hall.id, section.name);
    seedRows(db, hall.id, Number(lastInsertRowid), section);
  }
}

function seedRows(db: Db, hallId: number, sectionId: number, section: SectionPlan): void {
  const insertRow = db.prepare('INSERT INTO seat_rows (section_id, label) VALUES (?, ?)');
  const insertSeat = db.prepare(
    `INSERT INTO seats (hall_id, row_id, screen_id, number, category_id, aisle_after, gap_before)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const [index, label] of section.labels.entries()) {
    const rowId = Number(insertRow.run(sectionId, label).lastInsertRowid);
    const indent = section.indent?.(index) ?? 0;
    for (let number = 1; number <= section.seats; number++) {
      const screenId = label + String(number).padStart(2, '0');
      const aisle = section.aisles.includes(number) ? 1 : 0;
      const gap = number === 1 ? indent : 0;
      insertSeat.run(hallId, rowId, screenId, number, section.category(index), aisle, gap);
    }
  }
}

function seedShowtimes(db: Db): void {
  const showtime = db.prepare('INSERT INTO showtimes VALUES (?, ?, ?, ?)');
  const price = db.prepare('INSERT INTO prices VALUES (?, ?, ?)');
  for (const { id, film, hall, starts } of SHOWTIMES) {
    showtime.run(id, film, hall, starts);
    for (const [category, cents] of Object.entries(PRICES[hall] ?? {})) {
      price.run(id, category, cents);
    }
  }
}

/** A, B, C … */
function letters(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String.fromCharCode(65 + index));
}
