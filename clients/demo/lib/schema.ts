// The tables. Seats have integer ids here, as shops have them; `screen_id` (A06) is what people
// see and what SeatLock calls the seat. Who holds or bought a seat is SeatLock's to say alone: the
// orders here remember who bought what for how much.

export const SCHEMA = `
  CREATE TABLE films (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, year INTEGER NOT NULL,
    minutes INTEGER NOT NULL, note TEXT NOT NULL
  ) STRICT;
  CREATE TABLE halls (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
  CREATE TABLE categories (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, color TEXT NOT NULL
  ) STRICT;
  CREATE TABLE sections (
    id INTEGER PRIMARY KEY, hall_id INTEGER NOT NULL REFERENCES halls, name TEXT NOT NULL
  ) STRICT;
  CREATE TABLE seat_rows (
    id INTEGER PRIMARY KEY, section_id INTEGER NOT NULL REFERENCES sections, label TEXT NOT NULL
  ) STRICT;
  CREATE TABLE seats (
    id INTEGER PRIMARY KEY,
    hall_id INTEGER NOT NULL REFERENCES halls,
    row_id INTEGER NOT NULL REFERENCES seat_rows,
    screen_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    category_id TEXT NOT NULL REFERENCES categories,
    aisle_after INTEGER NOT NULL,
    gap_before INTEGER NOT NULL,
    UNIQUE (hall_id, screen_id)
  ) STRICT;
  CREATE INDEX seats_of_row ON seats (row_id, number);
  CREATE TABLE showtimes (
    id TEXT PRIMARY KEY,
    film_id INTEGER NOT NULL REFERENCES films,
    hall_id INTEGER NOT NULL REFERENCES halls,
    starts TEXT NOT NULL
  ) STRICT;
  CREATE TABLE prices (
    showtime_id TEXT NOT NULL REFERENCES showtimes,
    category_id TEXT NOT NULL REFERENCES categories,
    cents INTEGER NOT NULL,
    PRIMARY KEY (showtime_id, category_id)
  ) STRICT;
  CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    -- Made by the page: a form that is sent twice is one order.
    order_key TEXT NOT NULL,
    showtime_id TEXT NOT NULL REFERENCES showtimes,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'booked', 'refused')),
    created_ms INTEGER NOT NULL,
    UNIQUE (session_id, order_key)
  ) STRICT;
  CREATE TABLE order_seats (
    order_id TEXT NOT NULL REFERENCES orders ON DELETE CASCADE,
    seat_id INTEGER NOT NULL REFERENCES seats,
    cents INTEGER NOT NULL,
    PRIMARY KEY (order_id, seat_id)
  ) STRICT;
`;
