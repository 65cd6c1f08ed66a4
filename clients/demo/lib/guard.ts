// What every call must pass before it is looked at: that a page of this site makes it, and that
// its body is JSON of a sane size.

import { refuse } from './answers';

const BODY_BYTES_MAX = 16 * 1024;

/**
 * Whether a mutation may come from where it says it comes from. Browsers send Sec-Fetch-Site (to
 * https and loopback) and Origin, and no page can forge either; who sends neither is no browser,
 * and carries nobody else's cookie. `own`: further origins of the site.
 */
export function fromThisSite(headers: Headers, own: readonly string[] = []): boolean {
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  if (origin !== null && own.includes(origin)) {
    return true;
  }
  if (site !== null && site !== 'same-origin' && site !== 'none') {
    return false;
  }
  return origin === null || isHost(origin, headers.get('host') ?? '', site);
}

/** A proxy that passes Host without its port leaves the port to Sec-Fetch-Site to judge. */
function isHost(origin: string, host: string, site: string | null): boolean {
  if (!URL.canParse(origin)) {
    return false;
  }
  const url = new URL(origin);
  if (url.host === host.toLowerCase()) {
    return true;
  }
  return site === 'same-origin' && url.hostname === host.toLowerCase();
}

export type Body = Readonly<Record<string, unknown>>;

/** The JSON object in the body, or the answer that refuses it. An empty body is {}. */
export async function readJson(request: Request): Promise<Body | Response> {
  const type = request.headers.get('content-type');
  if (type !== null && !/^application\/json\s*(;|$)/i.test(type)) {
    return refuse('JSON_ONLY', 'Send Content-Type: application/json.');
  }
  const text = await readText(request);
  if (text === null) {
    return refuse('BODY_TOO_LARGE', `A body may have ${BODY_BYTES_MAX / 1024} KiB.`);
  }
  if (text === '') {
    return {};
  }
  if (type === null) {
    return refuse('JSON_ONLY', 'Send Content-Type: application/json.');
  }
  return parse(text) ?? refuse('INVALID_FIELD', 'The body is not a JSON object.');
}

function parse(text: string): Body | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value }
      : null;
  } catch {
    return null;
  }
}

/** null: too long. Content-Length may be absent or lie, so bytes are counted as they come. */
async function readText(request: Request): Promise<string | null> {
  if (Number(request.headers.get('content-length') ?? 0) > BODY_BYTES_MAX) {
    return null;
  }
  const reader = request.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const chunk = await reader?.read();
    if (chunk === undefined || chunk.done) {
      return text + decoder.decode();
    }
    bytes += chunk.value.byteLength;
    if (bytes > BODY_BYTES_MAX) {
      await reader?.cancel();
      return null;
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
}
