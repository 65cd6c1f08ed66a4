// The server's clock, estimated from the times in what it sends: of all deliveries the fastest
// says most. Frames that come late (missed changes, a snapshot encoded long ago) never win.
//
// The estimate runs on the monotonic clock, so that setting this machine's clock does not move it.
// Some browsers stop the monotonic clock while the machine sleeps. If the machine's clock gets
// ahead of it, that is sleep, or the clock was set: only the server can tell, so it is asked. If
// it does not answer in time, the machine slept: a hold never looks longer than it is.

export interface ServerClock {
  /** A new connection begins: the next time replaces what was learnt, so drift is forgotten. */
  renew(): void;
  /** The server was asked, and the last time heard is its answer. */
  answered(): void;
  /** Takes a time of the server, Unix ms, as it arrives; returns its delay beyond the fastest. */
  hear(timestamp: number): number;
  /** Unix ms; this machine's clock until something was heard. */
  now(): number;
}

/** More than clocks drift, or are steered, between two looks. */
const JUMP_MS = 1_000;
/** For the server's answer. */
const ANSWER_MS_MAX = 5_000;
const NOTHING_HEARD = Number.NEGATIVE_INFINITY;

/**
 * `onJump`: this machine slept, or its clock was set, and gained so much on the monotonic one; ask
 * for the server's time.
 */
export function serverClock(onJump: (byMs: number) => void): ServerClock {
  /** The server's clock less the monotonic one. */
  let ahead = NOTHING_HEARD;
  let fresh = true;
  /** This machine's clock less the monotonic one, when they were last looked at. */
  let skew = Date.now() - performance.now();
  /** How long the machine may have slept, and when that counts if the server has not answered. */
  let slept = 0;
  let countsAt = 0;

  function look(): number {
    const now = performance.now();
    const jump = Date.now() - now - skew;
    skew += jump;
    if (Math.abs(jump) > JUMP_MS) {
      slept = Math.max(0, slept + jump);
      countsAt = now + ANSWER_MS_MAX;
      queueMicrotask(() => onJump(jump)); // `now()` may be called while rendering
    }
    if (slept > JUMP_MS && now >= countsAt) {
      ahead += slept;
      slept = 0;
      fresh = true;
    }
    return now;
  }

  return {
    renew() {
      fresh = true;
      slept = 0;
    },
    answered() {
      slept = 0;
    },
    hear(timestamp) {
      const seen = timestamp - look();
      // What a time shows of the sleep is not to be counted again.
      if (seen > ahead) slept = Math.max(0, slept - (seen - ahead));
      if (fresh || seen > ahead) ahead = seen;
      fresh = false;
      return ahead - seen;
    },
    now() {
      const now = look();
      return ahead === NOTHING_HEARD ? Date.now() : Math.round(now + ahead);
    },
  };
}
