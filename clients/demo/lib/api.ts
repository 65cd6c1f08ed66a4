// What all routes of the API begin with: who calls, how often, from where, about which showtime.

import type { NextRequest } from 'next/server';
import { refuse, refuseError } from './answers';
import { type Showing, showing } from './catalogue';
import { db } from './db';
import { siteEnv } from './env';
import { type Body, fromThisSite, readJson } from './guard';
import { callerAddress, networks, RateLimiter } from './limits';
import { PEER_HEADER } from './peer';
import { cookieSecret } from './secret';
import { cookieName, sessionIn, shopperName } from './session';
import { shared } from './shared';

/** A call that may be answered. */
export interface Call {
  /** The shopper, from the cookie alone. */
  readonly sessionId: string;
  /** The JSON body; {} where there is none. */
  readonly body: Body;
  readonly query: URLSearchParams;
  /** What every call of the seat service for it carries on: the trace that it belongs to. */
  readonly trace: { readonly traceparent: string | null };
}

/** Runs `handle` for a call that passes every check; what SeatLock refuses becomes an answer. */
export async function serve(
  request: NextRequest,
  handle: (call: Call) => Promise<Response>,
): Promise<Response> {
  const env = siteEnv();
  const waitMs = limiter().take(addressOf(request.headers));
  if (waitMs > 0) {
    return refuse('RATE_LIMITED', 'Too many calls. Try again.', [], waitMs);
  }
  const reads = request.method === 'GET';
  if (!reads && !fromThisSite(request.headers, env.origins)) {
    return refuse('FORBIDDEN_ORIGIN', 'Another site asked for this.');
  }
  const body = reads ? {} : await readJson(request);
  if (body instanceof Response) {
    return body;
  }
  const query = request.nextUrl.searchParams;
  const trace = { traceparent: request.headers.get('traceparent') };
  try {
    return await handle({ sessionId: shopperOf(request), body, query, trace });
  } catch (error) {
    return refuseError(error);
  }
}

/** The showtime that is named, or the answer that says it is not there. */
export function knownShowtime(showtimeId: unknown): Showing | Response {
  if (typeof showtimeId !== 'string' || showtimeId === '') {
    return refuse('INVALID_FIELD', 'showtimeId: a text is wanted.');
  }
  return showing(db(), showtimeId) ?? refuse('UNKNOWN_SHOWTIME', 'There is no such showtime.');
}

/** proxy.ts saw to it that there is a cookie; that it is ours is checked again here. */
function shopperOf(request: NextRequest): string {
  const as = siteEnv().demoShoppers ? shopperName(request.nextUrl.searchParams.get('as')) : null;
  const name = cookieName(as ?? null);
  const sessionId = sessionIn(name, request.cookies.get(name)?.value, cookieSecret());
  if (sessionId === null) {
    throw new Error('no session: does proxy.ts run for this route?');
  }
  return sessionId;
}

function limiter(): RateLimiter {
  return shared('limiter', () => {
    const { ratePerSecond, rateBurst } = siteEnv();
    return new RateLimiter(ratePerSecond, rateBurst);
  });
}

function addressOf(headers: Headers): string {
  const trusted = shared('trusted', () => networks(siteEnv().trustedProxies));
  const peer = headers.get(PEER_HEADER) ?? '';
  return callerAddress(peer, headers.get('x-forwarded-for') ?? '', trusted);
}
