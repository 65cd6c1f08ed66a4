// One showtime of the fake server: who holds and who bought its seats, its history, and the frames
// that say so. The rules are docs/websocket.md's and those of the calls of /api/seat-locks.

import type { Cause, OwnSeat, Position, SeatUpdate, ServerFrame } from '../browser/protocol.js';

export interface FakeSeat {
  readonly status: 'locked' | 'booked';
  readonly sessionId: string;
  /** Unix ms; Infinity for what was booked. */
  readonly expiresAt: number;
}

/** What was done, with the holder after it, or, for a freed seat, before it. */
interface FakeChange {
  readonly revision: number;
  readonly cause: Cause;
  readonly timestamp: number;
  readonly seats: readonly { readonly seatId: string; readonly seat: FakeSeat; free: boolean }[];
}

export interface Conflict {
  readonly seatId: string;
  readonly status: 'available' | 'locked' | 'booked';
}

/** A refusal as a call of /api/seat-locks answers it. */
export class FakeRefusal extends Error {
  constructor(
    readonly code: string,
    readonly seats: readonly Conflict[],
  ) {
    super(`${code}: ${seats.map((seat) => `${seat.seatId} is ${seat.status}`).join(', ')}`);
  }
}

const HISTORY_MAX = 10_000;
const EPOCHS = 'abcdefghijklmnopqrstuvwxyz';

export class FakeShowtime {
  readonly seats = new Map<string, FakeSeat>();
  revision = 0;
  /** What the edge was told; behind the truth while the seat service is away from it. */
  told: Position & { readonly seats: ReadonlyMap<string, FakeSeat> };
  /** Somebody followed it while the service was there: otherwise the edge knows nothing of it. */
  known = false;
  private epochs = 1;
  private history: FakeChange[] = [];

  constructor(
    readonly showtimeId: string,
    private readonly onChange: (change: FakeChange) => void,
    readonly clock: () => number,
  ) {
    this.told = this.now();
  }

  /** Empty before the first change. */
  get epoch(): string {
    return this.revision ? `epoch-${EPOCHS[this.epochs % 26]}${this.epochs}` : '';
  }

  now(): FakeShowtime['told'] {
    return { epoch: this.epoch, revision: this.revision, seats: new Map(this.seats) };
  }

  locksOf(sessionId: string | undefined, seats: ReadonlyMap<string, FakeSeat> = this.seats) {
    const locks: OwnSeat[] = [];
    for (const [seatId, seat] of seats) {
      if (seat.status !== 'locked' || seat.sessionId !== sessionId) continue;
      locks.push({ seatId, expiresAt: seat.expiresAt });
    }
    return locks.sort((a, b) => (a.seatId < b.seatId ? -1 : 1));
  }

  /** All or nothing; `releaseSeatIds` that the session does not hold are ignored. */
  lock(seatIds: readonly string[], sessionId: string, ttlMs: number, releaseSeatIds: string[]) {
    this.refuse('SEAT_TAKEN', seatIds, (seat) => !seat || isLockOf(seat, sessionId));
    const seat: FakeSeat = { status: 'locked', sessionId, expiresAt: this.clock() + ttlMs };
    const taken = seatIds.filter((seatId) => !this.seats.has(seatId));
    const freed = releaseSeatIds.filter(
      (seatId) => isLockOf(this.seats.get(seatId), sessionId) && !seatIds.includes(seatId),
    );
    const cause = freed.length ? (taken.length ? 'swap' : 'unlock') : 'lock';
    this.commit(cause, [...taken.map((seatId) => ({ seatId, seat })), ...this.freeing(freed)]);
  }

  /** A seat that is available already is success. */
  unlock(seatIds: readonly string[], sessionId: string): void {
    this.refuse('NOT_LOCK_HOLDER', seatIds, (seat) => !seat || isLockOf(seat, sessionId));
    this.commit('unlock', this.freeing(seatIds));
  }

  extend(seatIds: readonly string[], sessionId: string, ttlMs: number): void {
    this.refuse('NOT_LOCK_HOLDER', seatIds, (seat) => isLockOf(seat, sessionId));
    const until = this.clock() + ttlMs;
    const later = seatIds.filter((seatId) => (this.seats.get(seatId)?.expiresAt ?? 0) < until);
    const seat: FakeSeat = { status: 'locked', sessionId, expiresAt: until };
    this.commit(
      'extend',
      later.map((seatId) => ({ seatId, seat })),
    );
  }

  /** Without `sessionId` the holder buys, and a seat that is free goes to the box office. */
  book(seatIds: readonly string[], sessionId: string | undefined): void {
    this.refuse('SEAT_TAKEN', seatIds, (seat) => {
      if (!seat) return true;
      return seat.status === 'locked' && (sessionId ?? seat.sessionId) === seat.sessionId;
    });
    const buyer = (seatId: string) =>
      sessionId ?? this.seats.get(seatId)?.sessionId ?? 'box-office';
    this.commit(
      'book',
      seatIds.map((seatId) => ({
        seatId,
        seat: { status: 'booked', sessionId: buyer(seatId), expiresAt: Infinity },
      })),
    );
  }

  expire(seatIds: readonly string[]): void {
    this.refuse('NOT_LOCK_HOLDER', seatIds, (seat) => seat?.status === 'locked');
    this.commit('expired', this.freeing(seatIds));
  }

  cancel(seatIds: readonly string[]): void {
    this.refuse('UNKNOWN_ORDER', seatIds, (seat) => seat?.status === 'booked');
    this.commit('cancel', this.freeing(seatIds));
  }

  /** The service lost what it knew: another history begins, with every seat available. */
  newEpoch(): void {
    this.epochs++;
    this.revision = 0;
    this.seats.clear();
    this.history = [];
  }

  /** When the next lock lapses; Infinity: none is held. */
  nextExpiry(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.seats.values()].map((s) => s.expiresAt));
  }

  /** Frees what lapsed until `now`, in order of time, then of seat id. */
  lapse(now: number): void {
    const lapsed = [...this.seats].filter(([, seat]) => seat.expiresAt <= now);
    lapsed.sort(([a, x], [b, y]) => x.expiresAt - y.expiresAt || (a < b ? -1 : 1));
    this.commit('expired', this.freeing(lapsed.map(([seatId]) => seatId)));
  }

  /** The changes after a position, as far as the edge was told; null: a snapshot is due. */
  missed({ epoch, revision }: Position): readonly FakeChange[] | null {
    if (revision > this.told.revision) return null;
    if (revision && epoch !== this.told.epoch) return null;
    const missed = this.history.filter(
      (change) => change.revision > revision && change.revision <= this.told.revision,
    );
    return missed.length === this.told.revision - revision ? missed : null;
  }

  /** The edge catches up: returns what it had missed; null: a snapshot is due. */
  toldAll(): readonly FakeChange[] | null {
    const before = this.told;
    this.told = this.now();
    return this.missed(before);
  }

  snapshotFrame(): ServerFrame {
    const { epoch, revision, seats } = this.told;
    const ids = (status: FakeSeat['status']) =>
      [...seats].flatMap(([id, seat]) => (seat.status === status ? [id] : [])).sort();
    return {
      type: 'current_seat_status',
      showtimeId: this.showtimeId,
      bookedSeats: ids('booked'),
      lockedSeats: ids('locked'),
      timestamp: this.clock(),
      epoch,
      revision,
    };
  }

  /** A change as a connection of `sessionId` sees it: one frame a seat. */
  changeFrames(change: FakeChange, sessionId: string | undefined): SeatUpdate[] {
    const last = change.seats.length - 1;
    return change.seats.map(({ seatId, seat, free }, index) => ({
      type: 'seat_status_change',
      showtimeId: this.showtimeId,
      seatId,
      status: free ? 'unlocked' : seat.status,
      ...(seat.sessionId === sessionId && { sessionId }),
      timestamp: change.timestamp,
      revision: change.revision,
      cause: change.cause,
      ...(seat.sessionId === sessionId &&
        seat.status === 'locked' &&
        !free && { expiresAt: seat.expiresAt }),
      ...(index < last && { more: true }),
      ...(change.revision === 1 && { epoch: this.epoch }),
    }));
  }

  private freeing(seatIds: readonly string[]) {
    const free = true;
    return seatIds.flatMap((seatId) => {
      const seat = this.seats.get(seatId);
      return seat ? [{ seatId, seat, free }] : [];
    });
  }

  private refuse(code: string, seatIds: readonly string[], good: (seat?: FakeSeat) => boolean) {
    const bad = seatIds.filter((seatId) => !good(this.seats.get(seatId)));
    if (!bad.length) return;
    throw new FakeRefusal(
      code,
      bad.map((seatId) => ({ seatId, status: this.seats.get(seatId)?.status ?? 'available' })),
    );
  }

  /** What changes nothing makes no revision. */
  private commit(cause: Cause, seats: { seatId: string; seat: FakeSeat; free?: boolean }[]): void {
    if (!seats.length) return;
    for (const { seatId, seat, free } of seats) {
      if (free) this.seats.delete(seatId);
      else this.seats.set(seatId, seat);
    }
    const change: FakeChange = {
      revision: ++this.revision,
      cause,
      timestamp: this.clock(),
      seats: seats.map((one) => ({ free: false, ...one })),
    };
    this.history.push(change);
    if (this.history.length > HISTORY_MAX) this.history.shift();
    this.onChange(change);
  }
}

export type { FakeChange };

function isLockOf(seat: FakeSeat | undefined, sessionId: string): boolean {
  return seat?.status === 'locked' && seat.sessionId === sessionId;
}
