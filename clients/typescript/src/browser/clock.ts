// The server's clock, estimated from the times in what it sends: of all deliveries the fastest
// says most. Frames that come late (missed changes, a snapshot encoded long ago) never win.

export interface ServerClock {
  /** A new connection begins: the next time replaces what was learnt, so drift is forgotten. */
  renew(): void;
  /** Takes a time of the server, Unix ms, as it arrives; returns its delay beyond the fastest. */
  hear(timestamp: number): number;
  /** Unix ms; this machine's clock until something was heard. */
  now(): number;
}

export function serverClock(): ServerClock {
  let offset = 0;
  let fresh = true;
  return {
    renew() {
      fresh = true;
    },
    hear(timestamp) {
      const seen = Date.now() - timestamp;
      if (fresh || seen < offset) offset = seen;
      fresh = false;
      return seen - offset;
    },
    now: () => Date.now() - offset,
  };
}
