// Who a shopper is: a random id in a signed cookie, `ID.SIGNATURE`. The id is made for seats
// alone. It is no credential: pages know it, to hear of their own seats; what nobody can make
// without the key is the signature, so nobody acts as a shopper whose cookie they do not have.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export const SESSION_COOKIE = 'seatlock_session';
/** What the cookies of `?as=NAME` begin with. */
export const AS_COOKIE = 'seatlock_as_';
const AS_NAME = /^[a-z0-9_-]{1,32}$/;
/** 192 bits. */
const ID_BYTES = 24;
const ID = /^[A-Za-z0-9_-]{32}$/;

/** `?as=NAME` in the form that counts, null without one, undefined where NAME is none. */
export function shopperName(value: string | null | undefined): string | null | undefined {
  if (value === null || value === undefined || value === '') {
    return null;
  }
  const name = value.toLowerCase();
  return AS_NAME.test(name) ? name : undefined;
}

/** The cookie of the browser's own shopper (null), or of one that `?as=NAME` made. */
export function cookieName(as: string | null): string {
  return as === null ? SESSION_COOKIE : AS_COOKIE + as;
}

/** A new shopper's cookie. */
export function mintCookie(name: string, secret: string): string {
  const id = randomBytes(ID_BYTES).toString('base64url');
  return `${id}.${signature(name, id, secret).toString('base64url')}`;
}

/** The session id in a cookie; null where it is not one that we signed under this name. */
export function sessionIn(name: string, value: string | undefined, secret: string): string | null {
  const [id = '', mac = '', ...more] = (value ?? '').split('.');
  if (more.length > 0 || !ID.test(id)) {
    return null;
  }
  const ours = signature(name, id, secret);
  const theirs = Buffer.from(mac, 'base64url');
  // base64url has several spellings of the same bytes; one is enough.
  if (theirs.length !== ours.length || theirs.toString('base64url') !== mac) {
    return null;
  }
  return timingSafeEqual(ours, theirs) ? id : null;
}

/** The name is signed too, so that one shopper's cookie is worth nothing under another's name. */
function signature(name: string, id: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`${name}=${id}`).digest();
}
