// Runs before every page and route. It gives a browser without a session its cookie, and shows it
// to the very request that comes without: the page that is rendered now and the calls that it will
// make are of one shopper. Routes check the cookie again: nothing trusts that this ran.

import { type NextRequest, NextResponse } from 'next/server';
import { contentSecurityPolicy } from './lib/csp';
import { siteEnv } from './lib/env';
import { cookieSecret } from './lib/secret';
import { AS_COOKIE, cookieName, mintCookie, sessionIn, shopperName } from './lib/session';

const COOKIE_AGE_S = 30 * 24 * 60 * 60;
/** Cookies of `?as=` in one browser: they all travel with each request. */
const DEMO_SHOPPERS_MAX = 20;

export function proxy(request: NextRequest): NextResponse {
  const as = siteEnv().demoShoppers ? shopperName(request.nextUrl.searchParams.get('as')) : null;
  if (as === undefined) {
    return new NextResponse('as: 1 to 32 letters, digits, - or _ are wanted.\n', { status: 400 });
  }
  const name = cookieName(as);
  const minted = mintIfNeeded(request, name);
  if (minted !== null && tooMany(request)) {
    return new NextResponse('This browser has too many demo shoppers.\n', { status: 400 });
  }
  const policy = contentSecurityPolicy(request.headers.get('host') ?? '');
  const headers = new Headers(request.headers);
  // Next reads the nonce of its own scripts from here.
  headers.set('Content-Security-Policy', policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set('Content-Security-Policy', policy);
  if (minted !== null) {
    response.cookies.set(name, minted, {
      httpOnly: true,
      sameSite: 'lax',
      secure: request.headers.get('x-forwarded-proto')?.startsWith('https') ?? false,
      path: '/',
      maxAge: COOKIE_AGE_S,
    });
  }
  return response;
}

export const config = { matcher: '/((?!_next/).*)' };

/** The new cookie, written into the request too; null: the request has a good one. */
function mintIfNeeded(request: NextRequest, name: string): string | null {
  const secret = cookieSecret();
  if (sessionIn(name, request.cookies.get(name)?.value, secret) !== null) {
    return null;
  }
  const minted = mintCookie(name, secret);
  request.cookies.set(name, minted);
  return minted;
}

function tooMany(request: NextRequest): boolean {
  const names = request.cookies.getAll().filter(({ name }) => name.startsWith(AS_COOKIE));
  return names.length > DEMO_SHOPPERS_MAX;
}
