// The selection of one shopper in one showtime, without React: what is shown of each seat, what a
// tap does, what the shopper is told. What is held is the server's word (its answers and its
// stream); what is shown beyond that are the intents of seats whose calls are under way.

import type { OwnSeat, SeatLocksAnswer, SeatUpdate, Showtime } from '@seatlock/client';
import { earliestEnd, HoldTimer } from './hold_timer.js';
import { defaultMessages, type Messages, type SeatPhase } from './messages.js';
import { type CallError, readError, SeatCalls } from './seat_calls.js';
import type {
  HoldFailure,
  SeatSelectionStore,
  SelectedSeat,
  SelectionOptions,
  SelectionSettings,
  SelectionSnapshot,
  Told,
} from './selection_types.js';

const WARNINGS_MS = [60_000, 20_000];
const RESTORE_TRIES_MAX = 4;
const RESTORE_BACKOFF_MS = 1_000;
/** How long the showtime of a newly named session may take to become known before it is shown. */
const ADOPT_MS = 5_000;
const LOOK_MS = 50;

/** Makes a selection. Nothing is called or followed before `start()`. */
export function createSeatSelection(options: SelectionOptions): SeatSelectionStore {
  return new SeatSelectionCore(options);
}

class SeatSelectionCore implements SeatSelectionStore {
  readonly #options: SelectionOptions;
  readonly #calls: SeatCalls;
  readonly #timer: HoldTimer;
  readonly #listeners = new Set<() => void>();
  /** Bounded by the seats that are drawn. */
  readonly #seatListeners = new Map<string, Set<() => void>>();
  readonly #serverSnapshot: SelectionSnapshot;
  #settings: SelectionSettings = {};
  #showtime: Showtime;
  #snapshot: SelectionSnapshot | null = null;
  #own: readonly OwnSeat[] = [];
  /** Why seats changed, as the frames of this turn said. */
  #causes = new Map<string, SeatUpdate['cause']>();
  /** Seats that a call was refused while the stream was away, and how they were. */
  readonly #refused = new Map<string, 'locked' | 'booked'>();
  #starts = 0;
  #unfollow: () => void = () => {};
  /** The showtime as the session that the site named last, and when it is shown. */
  #next: Showtime | null = null;
  #switched: Promise<void> = Promise.resolve();
  #restoring: Promise<void> | null = null;
  #restored = false;
  #extending = false;
  #told = 0;
  #alert: Told | null = null;
  #notice: Told | null = null;

  constructor(options: SelectionOptions) {
    this.#options = options;
    this.#showtime = options.showtime;
    this.#serverSnapshot = {
      showtime: options.showtime,
      seats: options.showtime.initialOwnSeats().map(asSelected),
      secondsLeft: null,
      extending: false,
      alert: null,
      notice: null,
    };
    this.#calls = new SeatCalls({
      showtimeId: options.showtime.showtimeId,
      api: options.api,
      held: (seatId) => holds(this.#showtime, seatId),
      learn: (answer) => this.#learn(answer),
      changed: (seatId) => this.#seatChanged(seatId),
      settled: (seatId, held) => this.#settled(seatId, held),
      failed: (seatId, wanted, error) => this.#failed(seatId, wanted, error),
    });
    this.#timer = new HoldTimer({
      now: () => this.#showtime.serverNow(),
      seats: () => this.#showtime.ownSeats(),
      warningsMs: () => this.#settings.holdWarningsMs ?? WARNINGS_MS,
      onTick: () => this.#changed(),
      onWarning: (seatIds, msLeft) => {
        this.#notify(this.#messages.expiring(Math.ceil(msLeft / 1000)), true);
        this.#settings.onHoldExpiring?.({ seatIds, msLeft });
      },
      onOverdue: () => void this.#restore(),
    });
  }

  configure(settings: SelectionSettings): void {
    this.#settings = settings;
  }

  start(): () => void {
    if (this.#starts++ === 0) {
      this.#follow(this.#showtime);
      void this.#restore();
    }
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      if (--this.#starts > 0) return;
      this.#unfollow();
      this.#timer.stop();
    };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  getSnapshot = (): SelectionSnapshot => {
    this.#snapshot ??= this.#makeSnapshot();
    return this.#snapshot;
  };

  getServerSnapshot = (): SelectionSnapshot => this.#serverSnapshot;

  phase(seatId: string): SeatPhase {
    const intent = this.#calls.intent(seatId);
    const { status, mine } = this.#showtime.seat(seatId);
    if (intent === undefined) {
      const refused = status === 'available' ? this.#refused.get(seatId) : undefined;
      return refused ?? phaseOf(status, mine);
    }
    if (!intent) return 'releasing';
    // The stream may confirm before the call's answer does.
    return holds(this.#showtime, seatId) && this.#calls.asks(seatId) ? 'selected' : 'selecting';
  }

  initialPhase(seatId: string): SeatPhase {
    const { status, mine } = this.#showtime.initialSeat(seatId);
    return phaseOf(status, mine);
  }

  onSeat(seatId: string, listener: () => void): () => void {
    const listeners = this.#seatListeners.get(seatId) ?? new Set();
    this.#seatListeners.set(seatId, listeners.add(listener));
    const end = this.#showtime.onSeat(seatId, listener);
    return () => {
      end();
      listeners.delete(listener);
      if (listeners.size === 0) this.#seatListeners.delete(seatId);
    };
  }

  toggle(seatId: string): void {
    this.#alert = null;
    const phase = this.phase(seatId);
    const name = this.#name(seatId);
    switch (phase) {
      case 'available':
      case 'releasing':
        if (this.#isFull()) this.#refuseMore(seatId);
        else this.#calls.want(seatId, true);
        break;
      case 'selecting':
      case 'selected':
        this.#calls.want(seatId, false);
        break;
      case 'bought':
        this.#notify(`${name}, ${this.#messages.states.bought}`);
        break;
      default:
        this.#warn(this.#messages.taken(name, phase === 'booked'));
        this.#settings.onSeatTaken?.({ seatId, status: phase });
    }
    this.#changed();
  }

  async extend(): Promise<void> {
    const seatIds = this.#showtime.ownSeats().map((seat) => seat.seatId);
    if (this.#extending || seatIds.length === 0) return;
    this.#extending = true;
    this.#alert = null;
    this.#changed();
    try {
      await this.#learn(await this.#options.api.extend(this.#showtime.showtimeId));
      this.#notify(this.#messages.extended);
    } catch (thrown) {
      const error = readError(thrown);
      this.#fail('extend', seatIds, error, this.#messages.extendFailed(error.code));
      // What became of it, or what is still held.
      void this.#restore();
    } finally {
      this.#extending = false;
      this.#changed();
    }
  }

  dismiss(): void {
    this.#alert = null;
    this.#changed();
  }

  get #messages(): Messages {
    return this.#settings.messages ?? defaultMessages;
  }

  #name(seatId: string): string {
    return this.#settings.nameSeat?.(seatId) ?? seatId;
  }

  #makeSnapshot(): SelectionSnapshot {
    const own = this.#showtime.ownSeats();
    const seats = own.map(asSelected).map((s) => ({ ...s, phase: this.phase(s.seatId) }));
    for (const seatId of this.#calls.seatIds()) {
      const phase = this.phase(seatId);
      if (!holds(this.#showtime, seatId)) seats.push({ seatId, phase, expiresAt: undefined });
    }
    const end = earliestEnd(own);
    return {
      showtime: this.#showtime,
      seats: seats.sort((a, b) => (a.seatId < b.seatId ? -1 : 1)),
      secondsLeft:
        end === null ? null : Math.max(0, Math.ceil((end - this.#showtime.serverNow()) / 1000)),
      extending: this.#extending,
      alert: this.#alert,
      notice: this.#notice,
    };
  }

  #changed(): void {
    this.#snapshot = null;
    for (const listener of [...this.#listeners]) listener();
  }

  #seatChanged(seatId: string): void {
    for (const listener of [...(this.#seatListeners.get(seatId) ?? [])]) listener();
    this.#changed();
  }

  // --- What the shopper is told ---

  #notify(text: string, spoken = false): void {
    this.#notice = { id: ++this.#told, text, spoken };
    this.#changed();
  }

  #warn(text: string): void {
    this.#alert = { id: ++this.#told, text, spoken: false };
    // What was told before may be what is now not so.
    this.#notice = null;
    this.#changed();
  }

  #fail(
    action: HoldFailure['action'],
    seatIds: readonly string[],
    { code, seats }: Pick<CallError, 'code' | 'seats'>,
    message: string,
  ): void {
    this.#warn(message);
    this.#settings.onHoldFailed?.({ action, seatIds, code, message, seats });
  }

  #isFull(): boolean {
    const wanted = new Set(this.#showtime.ownSeats().map((seat) => seat.seatId));
    for (const seatId of this.#calls.seatIds()) {
      if (this.#calls.intent(seatId)) wanted.add(seatId);
      else wanted.delete(seatId);
    }
    return wanted.size >= (this.#settings.maxSeats ?? Number.POSITIVE_INFINITY);
  }

  #refuseMore(seatId: string): void {
    const message = this.#messages.limit(this.#name(seatId), this.#settings.maxSeats);
    this.#fail('lock', [seatId], { code: 'SESSION_SEAT_LIMIT', seats: [] }, message);
  }

  #settled(seatId: string, held: boolean): void {
    const price = this.#settings.priceSeat?.(seatId) ?? '';
    const name = this.#name(seatId);
    this.#notify(held ? this.#messages.selected(name, price) : this.#messages.released(name));
  }

  #failed(seatId: string, wanted: boolean, error: CallError): void {
    const name = this.#name(seatId);
    const action = wanted ? 'lock' : 'unlock';
    if (error.code === 'SESSION_SEAT_LIMIT') {
      // The server's own limit need not be `maxSeats`.
      this.#fail(action, [seatId], error, this.#messages.limit(name, undefined));
    } else if (error.code === 'SEAT_TAKEN') {
      const said = error.seats.find((seat) => seat.seatId === seatId)?.status ?? 'locked';
      const status = said === 'locked' ? 'locked' : 'booked';
      // A live stream tells of it by itself.
      if (this.#showtime.connection().stale) this.#refused.set(seatId, status);
      this.#seatChanged(seatId);
      this.#fail(action, [seatId], error, this.#messages.taken(name, status === 'booked'));
      this.#settings.onSeatTaken?.({ seatId, status });
    } else {
      this.#fail(action, [seatId], error, this.#messages.failed(name, error.code));
    }
  }

  // --- What the server says ---

  async #learn(answer: SeatLocksAnswer): Promise<void> {
    if (answer.sessionId !== this.#showtime.sessionId) await this.#adopt(answer);
    else this.#showtime.apply(answer);
  }

  /** What is held after a refresh, an unknown outcome, or an end that nobody confirmed. */
  #restore(): Promise<void> {
    this.#restoring ??= this.#tryRestore().finally(() => {
      this.#restoring = null;
    });
    return this.#restoring;
  }

  async #tryRestore(): Promise<void> {
    for (let i = 0; i < RESTORE_TRIES_MAX && this.#starts > 0; i++) {
      try {
        await this.#learn(await this.#options.api.get(this.#showtime.showtimeId));
        this.#restored = true;
        return;
      } catch {
        // Nothing to tell: the stream brings the shopper's seats too, a tap shows its own error.
      }
      const ms = RESTORE_BACKOFF_MS * 2 ** i * (0.5 + Math.random() / 2);
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }

  /**
   * Follows the showtime as the session that the site names: its cookie is the truth, the property
   * may be missing or older. Shown once its seats are known, so that none flickers.
   */
  async #adopt(answer: SeatLocksAnswer): Promise<void> {
    if (this.#next?.sessionId === answer.sessionId) {
      this.#next.apply(answer);
    } else {
      const next = this.#options.open(answer.sessionId, answer);
      next.apply(answer);
      this.#next = next;
      this.#switched = this.#switchTo(next);
    }
    await this.#switched;
  }

  async #switchTo(next: Showtime): Promise<void> {
    const unfollow = this.#starts > 0 ? next.follow() : () => {};
    if (this.#showtime.position() !== null) await known(next, ADOPT_MS);
    if (this.#next === next) {
      this.#unfollow();
      this.#showtime = next;
      const before = this.#own;
      if (this.#starts > 0) this.#follow(next);
      // What this session holds was known before anybody listened to it.
      if (before.length + this.#own.length > 0) this.#settings.onSelectionChange?.(this.#own);
      this.#changed();
    }
    unfollow();
  }

  #follow(followed: Showtime): void {
    const before = this.#own;
    this.#own = followed.ownSeats();
    const ends = [
      followed.follow(),
      followed.onOwnSeats(() => this.#ownChanged()),
      followed.onUpdate((update) => this.#noteCause(update)),
      followed.onConnection(() => {
        if (followed.connection().stale) return;
        this.#forgetRefused();
        if (!this.#restored) void this.#restore();
      }),
    ];
    this.#forgetRefused();
    this.#unfollow = () => {
      for (const end of ends) end();
    };
    this.#timer.update();
    if (before !== this.#own && before.length + this.#own.length > 0) {
      this.#settings.onSelectionChange?.(this.#own);
    }
  }

  #forgetRefused(): void {
    const seatIds = [...this.#refused.keys()];
    this.#refused.clear();
    for (const seatId of seatIds) this.#seatChanged(seatId);
  }

  #noteCause({ seatId, cause }: SeatUpdate): void {
    if (this.#causes.size === 0) {
      setTimeout(() => this.#causes.clear());
    }
    this.#causes.set(seatId, cause);
  }

  #ownChanged(): void {
    const before = this.#own;
    this.#own = this.#showtime.ownSeats();
    const held = new Set(this.#own.map((seat) => seat.seatId));
    for (const seatId of held) this.#calls.reassert(seatId);
    this.#timer.update();
    this.#settings.onSelectionChange?.(this.#own);
    const gone = before.filter((seat) => !held.has(seat.seatId));
    // The frames of the change may be told after it, within the same turn.
    if (gone.length > 0) queueMicrotask(() => this.#lost(gone));
  }

  #lost(gone: readonly OwnSeat[]): void {
    const seatIds = gone.filter((seat) => this.#hasExpired(seat)).map((seat) => seat.seatId);
    for (const { seatId } of gone) if (!seatIds.includes(seatId)) this.#calls.reassert(seatId);
    if (seatIds.length === 0) return;
    this.#notify(this.#messages.expired(seatIds.map((seatId) => this.#name(seatId))));
    this.#settings.onHoldExpired?.({ seatIds });
  }

  /** A seat that is no longer held was given back or bought by nobody of this shopper. */
  #hasExpired({ seatId, expiresAt }: OwnSeat): boolean {
    if (this.#calls.intent(seatId) !== undefined || this.#showtime.seat(seatId).mine) return false;
    const cause = this.#causes.get(seatId);
    if (cause === undefined) return expiresAt <= this.#showtime.serverNow();
    return cause === 'expired' || cause === 'snapshot';
  }
}

function asSelected({ seatId, expiresAt }: OwnSeat): SelectedSeat {
  return { seatId, phase: 'selected', expiresAt };
}

function holds(followed: Showtime, seatId: string): boolean {
  const { status, mine } = followed.seat(seatId);
  return mine && status === 'locked';
}

function phaseOf(status: 'available' | 'locked' | 'booked', mine: boolean): SeatPhase {
  if (status === 'available' || !mine) return status;
  return status === 'locked' ? 'selected' : 'bought';
}

/** Ends when something is known of the showtime, or after `ms`. Nothing tells, so it looks. */
function known(followed: Showtime, ms: number): Promise<void> {
  const until = performance.now() + ms;
  return new Promise((resolve) => {
    const look = () => {
      if (followed.position() !== null || performance.now() >= until) resolve();
      else setTimeout(look, LOOK_MS);
    };
    look();
  });
}
