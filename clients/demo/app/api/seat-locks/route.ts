// The four calls of a seat map. Each answers all that the shopper holds in the showtime:
// {sessionId, seats: [{seatId, expiresAt}], revision, serverTime}; times are Unix ms. A refusal is
// {code, message, seats: [{seatId, status}]}. Nothing is broadcast from here: the edge hears every
// change from seatlockd itself.

import type { NextRequest } from 'next/server';
import { answer, refuse, refuseError } from '@/lib/answers';
import { type Call, knownShowtime, serve } from '@/lib/api';
import { siteEnv } from '@/lib/env';
import { heldSeats, seatlock } from '@/lib/seatlock';
import { knownSeats, namedSeats, releasedSeats } from '@/lib/seats';

/** `?showtimeId`: what the shopper holds. */
export function GET(request: NextRequest): Promise<Response> {
  return serve(request, async ({ sessionId, query }) => {
    const showtime = knownShowtime(query.get('showtimeId'));
    if (showtime instanceof Response) {
      return showtime;
    }
    return answer(await heldSeats(showtime.id, sessionId));
  });
}

/** `{showtimeId, seatId | seatIds, releaseSeatIds?}`: locks seats, all or none. */
export function POST(request: NextRequest): Promise<Response> {
  return serve(request, async (call) => {
    const target = readTarget(call);
    if (target instanceof Response) {
      return target;
    }
    if (target.seatIds === null) {
      return refuse('INVALID_FIELD', 'seatId or seatIds: seats are wanted.');
    }
    const released = releasedSeats(call.body);
    if (released instanceof Response) {
      return released;
    }
    const missing = knownSeats(target.showtimeId, released);
    if (missing instanceof Response) {
      return missing;
    }
    const { holdTtlMs, maxSeats } = siteEnv();
    const lock = {
      showtimeId: target.showtimeId,
      seatIds: target.seatIds,
      releaseSeatIds: released,
      sessionId: call.sessionId,
      ttlMs: holdTtlMs,
      maxSessionSeats: maxSeats,
    };
    await seatlock().lockSeats(lock, call.trace);
    return heldNow(target.showtimeId, call.sessionId);
  });
}

/** `{showtimeId, seatId? | seatIds?}`: more time, for all that is held where no seat is named. */
export function PATCH(request: NextRequest): Promise<Response> {
  return serve(request, async (call) => {
    const target = readTarget(call);
    if (target instanceof Response) {
      return target;
    }
    const { showtimeId, seatIds } = target;
    const { sessionId } = call;
    const ttlMs = siteEnv().holdTtlMs;
    await seatlock().extendLocks({ showtimeId, sessionId, ttlMs, ...allOr(seatIds) }, call.trace);
    return heldNow(showtimeId, sessionId);
  });
}

/** The same fields in the body or the query: gives seats back, all where none is named. */
export function DELETE(request: NextRequest): Promise<Response> {
  return serve(request, async (call) => {
    const target = readTarget(call);
    if (target instanceof Response) {
      return target;
    }
    const { showtimeId, seatIds } = target;
    const { sessionId } = call;
    await seatlock().unlockSeats({ showtimeId, sessionId, ...allOr(seatIds) }, call.trace);
    return heldNow(showtimeId, call.sessionId);
  });
}

/** All that the shopper holds where no seat is named, as SeatLock is asked for it. */
function allOr(seatIds: readonly string[] | null): { all: true } | { seatIds: readonly string[] } {
  return seatIds === null ? { all: true } : { seatIds };
}

/** After a change: it stands, whatever becomes of the look at what is held now. */
async function heldNow(showtimeId: string, sessionId: string): Promise<Response> {
  try {
    return answer(await heldSeats(showtimeId, sessionId));
  } catch (error) {
    return refuseError(error, true);
  }
}

interface Target {
  readonly showtimeId: string;
  /** null: none is named. */
  readonly seatIds: readonly string[] | null;
}

function readTarget({ body, query }: Call): Target | Response {
  const showtime = knownShowtime(body.showtimeId ?? query.get('showtimeId'));
  if (showtime instanceof Response) {
    return showtime;
  }
  const seatIds = namedSeats(body, query);
  if (seatIds === null || seatIds instanceof Response) {
    return seatIds ?? { showtimeId: showtime.id, seatIds };
  }
  const seats = knownSeats(showtime.id, seatIds);
  return seats instanceof Response ? seats : { showtimeId: showtime.id, seatIds };
}
