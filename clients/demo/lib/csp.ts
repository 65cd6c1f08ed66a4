// What pages may load and connect to: this site, and the edge.

import { randomBytes } from 'node:crypto';
import { siteEnv } from './env';

/** A policy with a fresh nonce for inline scripts. `host`: the request's Host header. */
export function contentSecurityPolicy(host: string): string {
  const nonce = randomBytes(16).toString('base64');
  const dev = process.env.NODE_ENV === 'development' ? " 'unsafe-eval'" : '';
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}'${dev}`,
    // Seats and sections are placed by style attributes.
    "style-src 'self' 'unsafe-inline'",
    `connect-src 'self' ${sockets(host)}`,
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Not every browser takes 'self' to mean a WebSocket of the same host. */
function sockets(host: string): string {
  const { webSocketUrl } = siteEnv();
  if (webSocketUrl !== undefined) {
    return new URL(webSocketUrl).origin;
  }
  return /^[\w.:[\]-]+$/.test(host) ? `ws://${host} wss://${host}` : '';
}
