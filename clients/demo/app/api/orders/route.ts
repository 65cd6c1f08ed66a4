// Buys seats: {showtimeId, seatIds, name, orderKey} → {orderId}. No money is taken here; a shop
// takes it before it books, and names the seats that were paid for. `orderKey` is 16 to 64
// characters of the page's making: the same key is the same order, however often it is sent.

import type { NextRequest } from 'next/server';
import { answer, refuse } from '@/lib/answers';
import { type Call, knownShowtime, serve } from '@/lib/api';
import { db } from '@/lib/db';
import { siteEnv } from '@/lib/env';
import { isSameOrder, openOrder, placeOrder, type Wish } from '@/lib/orders';
import { knownSeats, namedSeats } from '@/lib/seats';

const NAME_MAX = 100;
/** Control characters and halves of characters, which the database would cut or change. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

export function POST(request: NextRequest): Promise<Response> {
  return serve(request, async (call) => {
    const wish = readWish(call);
    if (wish instanceof Response) {
      return wish;
    }
    const order = openOrder(db(), wish);
    if (!isSameOrder(db(), order, wish)) {
      return refuse('ORDER_MISMATCH', 'The order has other seats.');
    }
    await placeOrder(db(), order, wish.sessionId, call.trace);
    return answer({ orderId: order.id });
  });
}

function readWish(call: Call): Wish | Response {
  const { sessionId, body } = call;
  const showtime = knownShowtime(body.showtimeId);
  if (showtime instanceof Response) {
    return showtime;
  }
  const name = typeof body.name === 'string' ? body.name.trim() : '';
  if (name === '' || name.length > NAME_MAX || UNPRINTABLE.test(name)) {
    return refuse('INVALID_FIELD', `name: 1 to ${NAME_MAX} printable characters are wanted.`);
  }
  const { orderKey } = body;
  if (typeof orderKey !== 'string' || !/^[\w-]{16,64}$/.test(orderKey)) {
    return refuse('INVALID_FIELD', 'orderKey: 16 to 64 letters, digits, - or _ are wanted.');
  }
  const seats = readSeats(showtime.id, call);
  if (seats instanceof Response) {
    return seats;
  }
  return { sessionId, orderKey, showtimeId: showtime.id, name, seats };
}

function readSeats(showtimeId: string, { body, query }: Call): Wish['seats'] | Response {
  const { maxSeats } = siteEnv();
  const seatIds = namedSeats(body, query);
  if (seatIds instanceof Response) {
    return seatIds;
  }
  if (seatIds === null || seatIds.length > maxSeats) {
    return refuse('INVALID_FIELD', `seatIds: 1 to ${maxSeats} seats are wanted.`);
  }
  return knownSeats(showtimeId, seatIds);
}
