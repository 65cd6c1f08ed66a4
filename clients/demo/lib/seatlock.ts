// The seat service: one client for the whole process, and what the site asks of it.

import type { InitialSnapshot, SeatLocksAnswer } from '@seatlock/client';
import { createSeatLockClient, type SeatLockClient } from '@seatlock/client/node';
import { siteEnv } from './env';
import { shared } from './shared';

/** A shopper waits for this long, retries included. */
const DEADLINE_MS = 4_000;
/** A page waits for less: it can be shown without. */
const PAGE_DEADLINE_MS = 1_500;

export function seatlock(): SeatLockClient {
  return shared('seatlock', () => {
    const { upstream, upstreamTls } = siteEnv();
    return createSeatLockClient({ servers: upstream, tls: upstreamTls, deadlineMs: DEADLINE_MS });
  });
}

/** All that the shopper holds, as every call of /api/seat-locks answers it. */
export async function heldSeats(showtimeId: string, sessionId: string): Promise<SeatLocksAnswer> {
  const { locks, revision, serverTime } = await seatlock().listSessionLocks({
    showtimeId,
    sessionId,
  });
  return {
    sessionId,
    seats: locks.map(({ seatId, expireTime }) => ({ seatId, expiresAt: expireTime.getTime() })),
    revision,
    serverTime: serverTime.getTime(),
  };
}

/**
 * The showtime as its page first shows it. Who holds what stays here; the shopper's own seats are
 * told apart. null: the service is away, and the page shows what the stream brings later.
 */
export async function initialSnapshot(
  showtimeId: string,
  sessionId: string,
): Promise<InitialSnapshot | null> {
  try {
    const { snapshot } = await seatlock().getShowtime(
      { showtimeId },
      { deadlineMs: PAGE_DEADLINE_MS },
    );
    const { epoch, revision, seats } = snapshot;
    const locked = seats.filter(({ status }) => status === 'locked');
    const yours = locked.filter((seat) => seat.sessionId === sessionId);
    return {
      epoch,
      revision,
      // A status that is not known means not available.
      bookedSeats: seats.filter(({ status }) => status !== 'locked').map(({ seatId }) => seatId),
      lockedSeats: locked.map(({ seatId }) => seatId),
      yourSeats: yours.map(({ seatId, expireTime }) => ({
        seatId,
        expiresAt: expireTime?.getTime() ?? 0,
      })),
    };
  } catch (error) {
    console.error(`showtime ${showtimeId} is shown without a snapshot: ${String(error)}`);
    return null;
  }
}
