// The address at the other end of a request's connection. Next gives routes no socket, and keeps
// an X-Forwarded-For that the caller wrote, so neither says whom a limit should count; Node itself
// announces each request with its socket, and the address goes with it as a header of ours.

import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

/** Set on every request, over whatever the caller wrote there. */
export const PEER_HEADER = 'x-seatlock-peer';

/** Call it once a process, before the first request. */
export function markPeers(): void {
  subscribe('http.server.request.start', (message) => {
    const { request } = message as { request: IncomingMessage };
    request.headers[PEER_HEADER] = request.socket.remoteAddress ?? '';
  });
}
