// The seats of one showtime in two layers: what the stream said, at its position, and over it what
// a newer answer of /api/seat-locks said of the session's own. Each of them is ordered by revision,
// so that it does not matter which of the two is first to tell of a change.

import { type Listeners, listeners } from './listeners.js';
import type { CurrentSeatStatus, OwnSeat, Position, SeatUpdate } from './protocol.js';
import type { SeatLocksAnswer, SeatState } from './types.js';

/** Frames of one change that are kept for its last; what is beyond is applied as it comes. */
const MORE_MAX = 10_000;

const FREE: SeatState = { status: 'available', mine: false };
const LOCKED: SeatState = { status: 'locked', mine: false };
const booked = (mine: boolean): SeatState => ({ status: 'booked', mine });
/** Without `expiresAt` another's. */
const locked = (expiresAt: number | undefined): SeatState =>
  expiresAt === undefined ? LOCKED : { status: 'locked', mine: true, expiresAt };
const holds = (seat: SeatState | undefined): boolean => seat?.expiresAt !== undefined;

function same(a: SeatState, b: SeatState): boolean {
  return a.status === b.status && a.mine === b.mine && a.expiresAt === b.expiresAt;
}

export type Snapshot = Omit<CurrentSeatStatus, 'type' | 'showtimeId'>;
export type SeatStore = ReturnType<typeof seatStore>;

export function seatStore(showtimeId: string, sessionId: string | undefined) {
  const stream = new Map<string, SeatState>();
  /** Both layers together; what is not in it is available. */
  const shown = new Map<string, SeatState>();
  const seatListeners = new Map<string, Listeners<void>>();
  const ownListeners = listeners();
  const updateListeners = listeners<SeatUpdate>();
  let position: Position | null = null;
  let pending: SeatUpdate[] = [];
  let own: readonly OwnSeat[] = [];
  /** The layer above: the answer's revision and locks. */
  let answered: { revision: number; expiries: ReadonlyMap<string, number> } | null = null;
  /** When another history was first heard of, by the server's clock. */
  let begun = 0;

  const seat = (seatId: string): SeatState => shown.get(seatId) ?? FREE;

  function put(seats: Map<string, SeatState>, seatId: string, state: SeatState): void {
    if (state.status === 'available') seats.delete(seatId);
    else seats.set(seatId, state);
  }

  function bothLayers(seatId: string): SeatState {
    const said = stream.get(seatId) ?? FREE;
    if (!answered) return said;
    const expiresAt = answered.expiries.get(seatId);
    if (expiresAt !== undefined) return locked(expiresAt);
    return holds(said) ? FREE : said;
  }

  /** Shows what changed in the layers, then tells of it, `updates` last. */
  function show(seatIds: Iterable<string>, updates: readonly SeatUpdate[] = []): void {
    const changed: string[] = [];
    let ownChanged = false;
    for (const seatId of new Set(seatIds)) {
      const before = seat(seatId);
      const after = bothLayers(seatId);
      if (same(before, after)) continue;
      put(shown, seatId, after);
      changed.push(seatId);
      ownChanged ||= holds(before) || holds(after);
    }
    if (ownChanged) own = ownLocks();
    for (const seatId of changed) seatListeners.get(seatId)?.call();
    if (ownChanged) ownListeners.call();
    for (const update of updates) updateListeners.call(update);
  }

  function ownLocks(): OwnSeat[] {
    const locks: OwnSeat[] = [];
    for (const [seatId, { expiresAt }] of shown) {
      if (expiresAt !== undefined) locks.push({ seatId, expiresAt });
    }
    return locks.sort((a, b) => (a.seatId < b.seatId ? -1 : 1));
  }

  /** The seats that an answer may show otherwise than the stream. */
  function answerTouches(): string[] {
    const streamed = [...stream.keys()].filter((seatId) => holds(stream.get(seatId)));
    return [...(answered?.expiries.keys() ?? []), ...streamed];
  }

  /** Returns what to show again because the answer above is behind now. */
  function moveTo(epoch: string, revision: number): string[] {
    const anew = position?.epoch && position.epoch !== epoch;
    position = { epoch, revision };
    if (!answered || (!anew && revision < answered.revision)) return [];
    const touched = answerTouches();
    answered = null;
    return touched;
  }

  function stateOf({ status, sessionId: holder, expiresAt }: SeatUpdate): SeatState {
    const mine = holder !== undefined && holder === sessionId;
    if (status === 'unlocked') return FREE;
    if (status === 'locked') return locked(mine ? expiresAt : undefined);
    return booked(mine);
  }

  function updateOf(seatId: string, { timestamp, revision }: Snapshot): SeatUpdate {
    const { status, mine, expiresAt } = stream.get(seatId) ?? FREE;
    return {
      type: 'seat_status_change',
      showtimeId,
      seatId,
      status: status === 'available' ? 'unlocked' : status,
      timestamp,
      revision,
      cause: 'snapshot',
      ...(mine && sessionId !== undefined && { sessionId }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
  }

  return {
    seat,
    ownSeats: () => own,
    position: () => position,
    onOwnSeats: ownListeners.add,
    onUpdate: updateListeners.add,
    onSeat(seatId: string, listener: () => void): () => void {
      const all = seatListeners.get(seatId) ?? listeners();
      seatListeners.set(seatId, all);
      const remove = all.add(listener);
      return () => {
        remove();
        if (all.empty() && seatListeners.get(seatId) === all) seatListeners.delete(seatId);
      };
    },

    /** The rest of a change that was begun will not come. */
    forget(): void {
      pending = [];
    },

    change(frame: SeatUpdate): void {
      if (!position || frame.revision <= position.revision) return;
      pending.push(frame);
      if (frame.more && pending.length < MORE_MAX) return;
      const updates = pending;
      pending = [];
      for (const update of updates) put(stream, update.seatId, stateOf(update));
      const seatIds = updates.map((update) => update.seatId);
      if (!frame.more) seatIds.push(...moveTo(frame.epoch ?? position.epoch, frame.revision));
      show(seatIds, updates);
    },

    /**
     * Replaces all, unless it is older than what is known: then it returns false. `yours` are the
     * session's own locks; undefined: those that were stay while they are locked.
     */
    snapshot(snapshot: Snapshot, yours?: readonly OwnSeat[]): boolean {
      const { epoch, revision } = snapshot;
      const continues = !position?.epoch || position.epoch === epoch;
      if (!continues) begun = snapshot.timestamp;
      if (position && position.epoch === epoch && revision < position.revision) return false;
      pending = [];
      const before = new Map(stream);
      const expiries = yours && new Map(yours.map((lock) => [lock.seatId, lock.expiresAt]));
      const was = (seatId: string) => (continues ? before.get(seatId) : undefined);
      stream.clear();
      for (const seatId of snapshot.bookedSeats) {
        const then = was(seatId);
        stream.set(seatId, booked(then?.status === 'booked' && then.mine));
      }
      for (const seatId of snapshot.lockedSeats) {
        stream.set(seatId, locked(expiries ? expiries.get(seatId) : was(seatId)?.expiresAt));
      }
      const seatIds = [...before.keys(), ...stream.keys()];
      const differs = (seatId: string) =>
        !same(before.get(seatId) ?? FREE, stream.get(seatId) ?? FREE);
      const updates = [...new Set(seatIds)]
        .filter(differs)
        .map((seatId) => updateOf(seatId, snapshot));
      show([...seatIds, ...moveTo(epoch, revision)], updates);
      return true;
    },

    /** Who joined before a showtime's first change learns its epoch when it resumes. */
    learnEpoch(epoch: string): void {
      if (position && !position.epoch) position = { ...position, epoch };
    },

    /**
     * The session's own locks, as of a position at or after the store's: what was changed since
     * says so itself when it comes. `alone`: what is not among them is another's.
     */
    own(yours: readonly OwnSeat[], alone: boolean): void {
      const expiries = new Map(yours.map((lock) => [lock.seatId, lock.expiresAt]));
      for (const [seatId, { status }] of stream) {
        if (status !== 'locked' || (!alone && !expiries.has(seatId))) continue;
        stream.set(seatId, locked(expiries.get(seatId)));
      }
      show(stream.keys());
    },

    answer({ revision, seats, serverTime }: SeatLocksAnswer): void {
      if (revision <= (position?.revision ?? -1) || revision < (answered?.revision ?? 0)) return;
      // It may be of the history before, whose revisions say nothing now; the stream says the rest.
      if (serverTime < begun) return;
      const touched = answerTouches();
      answered = { revision, expiries: new Map(seats.map((one) => [one.seatId, one.expiresAt])) };
      show([...touched, ...answered.expiries.keys()]);
    },
  };
}
