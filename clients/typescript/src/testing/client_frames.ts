// Reads what a page sends as the edge does: null stands for a field that is absent, fields that are
// not known are ignored, and the first bad field is told.

import type { ClientFrame } from '../browser/protocol.js';

const ID_BYTES_MAX = 128;
const REVISION_LIMIT = 2 ** 64;
// C0, DEL and C1.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What the page is told of a message that is none. */
export interface BadMessage {
  readonly code: 'BAD_JSON' | 'BAD_FIELD' | 'UNKNOWN_TYPE';
  readonly message: string;
  readonly showtimeId?: string;
}

export type ClientMessage =
  | { readonly frame: ClientFrame; readonly bad?: undefined }
  | { readonly frame?: undefined; readonly bad: BadMessage };

export function readClientFrame(text: string): ClientMessage {
  const fields = objectOf(text);
  if (!fields) return { bad: { code: 'BAD_JSON', message: 'not a JSON object' } };
  const { type } = fields;
  if (typeof type !== 'string') return badField('type must be a string');
  if (type === 'subscribe') return subscribe(fields);
  if (type === 'unsubscribe') return unsubscribe(fields);
  if (type === 'ping') return { frame: { type } };
  return { bad: { code: 'UNKNOWN_TYPE', message: 'type is not known' } };
}

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

type Fields = Readonly<Record<string, unknown>>;

function objectOf(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text, (_, part: unknown) => {
      if (typeof part === 'string' && LONE_SURROGATE.test(part)) throw new SyntaxError();
      return part;
    });
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Fields) : null;
  } catch {
    return null;
  }
}

function badField(message: string, showtimeId?: unknown): ClientMessage {
  const named = isId(showtimeId) ? { showtimeId } : {};
  return { bad: { code: 'BAD_FIELD', message, ...named } };
}

function subscribe(fields: Fields): ClientMessage {
  const { showtimeId, sessionId, resume, heartbeat, token } = fields;
  const bad = firstBad(fields);
  if (bad !== undefined || !isId(showtimeId)) {
    return badField(bad ?? 'showtimeId is missing', showtimeId);
  }
  return {
    frame: {
      type: 'subscribe',
      showtimeId,
      ...(isId(sessionId) && { sessionId }),
      ...(isPosition(resume) && { resume }),
      ...(heartbeat === true && { heartbeat }),
      ...(typeof token === 'string' && { token }),
    },
  };
}

function unsubscribe({ showtimeId }: Fields): ClientMessage {
  if (isAbsent(showtimeId)) return { frame: { type: 'unsubscribe' } };
  if (!isId(showtimeId)) return badField(`showtimeId ${ID_RULE}`);
  return { frame: { type: 'unsubscribe', showtimeId } };
}

const ID_RULE = 'must be a string of 1 to 128 bytes without control characters';
const RULES: readonly (readonly [string, (value: unknown) => boolean, string])[] = [
  ['showtimeId', isId, ID_RULE],
  ['sessionId', isId, ID_RULE],
  ['resume', isPosition, 'must be {"epoch":string,"revision":number}'],
  ['heartbeat', (value) => typeof value === 'boolean', 'must be true or false'],
  ['token', (value) => typeof value === 'string', 'must be a string'],
];

function firstBad(fields: Fields): string | undefined {
  const broken = RULES.find(([name, rule]) => !isAbsent(fields[name]) && !rule(fields[name]));
  return broken && `${broken[0]} ${broken[2]}`;
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

function isId(value: unknown): value is string {
  if (typeof value !== 'string' || value === '') return false;
  return bytesOf(value) <= ID_BYTES_MAX && !CONTROL.test(value);
}

function isPosition(value: unknown): value is { epoch: string; revision: number } {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, revision } = value as Fields;
  if (typeof epoch !== 'string' || bytesOf(epoch) > ID_BYTES_MAX) return false;
  return Number.isInteger(revision) && Number(revision) >= 0 && Number(revision) < REVISION_LIMIT;
}
