// Orders: who bought which seats for how much. SeatLock decides whether seats are sold; the rows
// here are written before it is asked, so that a crash in between leaves an order that can be
// looked up and not a sale that nobody knows of.

import { randomUUID } from 'node:crypto';
import { isSeatLockError } from '@seatlock/client/node';
import { isRefusal } from './answers';
import type { Call } from './api';
import type { ShopSeat } from './catalogue';
import { all, type Db, one } from './db';
import { seatlock } from './seatlock';

export type OrderState = 'pending' | 'booked' | 'refused';

export interface Order {
  /** The order's id in SeatLock too. */
  readonly id: string;
  readonly showtimeId: string;
  readonly name: string;
  readonly state: OrderState;
}

export interface OrderSeat {
  readonly seatId: string;
  readonly row: string;
  readonly number: number;
  readonly cents: number;
}

export interface Wish {
  readonly sessionId: string;
  /** Made by the page: the same key is the same order. */
  readonly orderKey: string;
  readonly showtimeId: string;
  readonly name: string;
  readonly seats: readonly ShopSeat[];
}

const ORDER = 'SELECT id, showtime_id AS showtimeId, name, state FROM orders';

/**
 * Sells the seats of an order, or finds that it is sold already: asking again is safe, also after
 * an answer that was lost. Throws SeatLock's error where it is not sold. Only a refusal ends the
 * order: a service that is away now may have sold the seats before, so it stays pending.
 */
export async function placeOrder(
  db: Db,
  order: Order,
  sessionId: string,
  trace: Call['trace'],
): Promise<Order> {
  const seats = orderSeats(db, order.id);
  try {
    const booking = {
      showtimeId: order.showtimeId,
      // Whoever takes money names the seats; nobody is sold what they did not see.
      seatIds: seats.map(({ seatId }) => seatId),
      sessionId,
      orderId: order.id,
    };
    await seatlock().bookSeats(booking, trace);
  } catch (error) {
    if (isSeatLockError(error) && isRefusal(error)) {
      setState(db, order.id, 'refused');
    }
    throw error;
  }
  setState(db, order.id, 'booked');
  return { ...order, state: 'booked' };
}

/** The order of this key, written down as pending if it is new. */
export function openOrder(db: Db, wish: Wish): Order {
  const find = () =>
    one<Order>(
      db,
      `${ORDER} WHERE session_id = ? AND order_key = ?`,
      wish.sessionId,
      wish.orderKey,
    );
  return db
    .transaction(() => {
      const known = find();
      if (known !== undefined) {
        return known;
      }
      const id = randomUUID();
      db.prepare(
        `INSERT INTO orders (id, session_id, order_key, showtime_id, name, state, created_ms)
         VALUES (?, ?, ?, ?, ?, 'pending', ?)`,
      ).run(id, wish.sessionId, wish.orderKey, wish.showtimeId, wish.name, Date.now());
      const insert = db.prepare('INSERT INTO order_seats VALUES (?, ?, ?)');
      for (const seat of wish.seats) {
        insert.run(id, seat.id, seat.cents);
      }
      return { id, showtimeId: wish.showtimeId, name: wish.name, state: 'pending' as const };
    })
    .immediate();
}

/** Whether an order that is known has exactly these seats of this showtime. */
export function isSameOrder(db: Db, order: Order, wish: Wish): boolean {
  const wanted = wish.seats.map(({ seatId }) => seatId).sort();
  const known = orderSeats(db, order.id).map(({ seatId }) => seatId);
  return order.showtimeId === wish.showtimeId && wanted.join() === known.sort().join();
}

/** An order of this shopper; of anybody else's there is none. */
export function orderOf(db: Db, id: string, sessionId: string): Order | undefined {
  return one<Order>(db, `${ORDER} WHERE id = ? AND session_id = ?`, id, sessionId);
}

export function orderSeats(db: Db, orderId: string): OrderSeat[] {
  return all<OrderSeat>(
    db,
    `SELECT s.screen_id AS seatId, r.label AS row, s.number, o.cents
     FROM order_seats o JOIN seats s ON s.id = o.seat_id JOIN seat_rows r ON r.id = s.row_id
     WHERE o.order_id = ? ORDER BY s.id`,
    orderId,
  );
}

/**
 * The order as SeatLock has it, unless it is known to be booked: also after a refusal, for an
 * earlier call may have come later. Throws where SeatLock does not answer.
 */
export async function settle(db: Db, order: Order): Promise<Order> {
  if (order.state === 'booked') {
    return order;
  }
  const { state } = await seatlock().getOrder({ showtimeId: order.showtimeId, orderId: order.id });
  if (state !== 'open') {
    // It never came, or not yet: the call may still be on its way.
    return order;
  }
  setState(db, order.id, 'booked');
  return { ...order, state: 'booked' };
}

/** What is booked stays so: of two calls of one order, one may hear of a refusal late. */
function setState(db: Db, id: string, state: OrderState): void {
  db.prepare("UPDATE orders SET state = ? WHERE id = ? AND state <> 'booked'").run(state, id);
}
