// The key or token that a client's calls and watches carry. The service says when it has ended, so
// one that was fetched is used until then, and fetched anew once for all calls that are refused.

import { Metadata } from '@grpc/grpc-js';

/** A key or token, or what fetches one: it may answer the same one until that nears its end. */
export type TokenSource = string | (() => Promise<string>);

// What gRPC takes in a header, without blanks.
const TOKEN = /^[\x21-\x7e]+$/;

/** Repeats nothing of what it was given. */
function checked(token: unknown): string {
  if (typeof token === 'string' && TOKEN.test(token)) return token;
  throw new TypeError('token must be, or give, printable ASCII without blanks');
}

export class Token {
  /** What is the same for every call; undefined if there is none, or it must be fetched. */
  readonly text: string | undefined;
  /** Whether `get` may take its time. */
  readonly fetches: boolean;
  readonly #source: TokenSource | undefined;
  #known: Promise<string | undefined> | undefined;

  constructor(source: TokenSource | undefined) {
    this.#source = source;
    this.fetches = typeof source === 'function';
    if (source !== undefined && typeof source !== 'function') this.text = checked(source);
  }

  /** Undefined without one. Rejects as the function does; the next call asks it again. */
  get(): Promise<string | undefined> {
    this.#known ??= this.#fetch();
    return this.#known;
  }

  /** After `used` was refused: another one, undefined if there is none. */
  async renewed(used: string | undefined): Promise<string | undefined> {
    if (typeof this.#source !== 'function') return undefined;
    const asked = this.get();
    const known = await asked;
    if (known !== used) return known; // another call has asked meanwhile
    if (this.#known === asked) this.#known = undefined;
    const fresh = await this.get();
    return fresh === used ? undefined : fresh;
  }

  #fetch(): Promise<string | undefined> {
    const source = this.#source;
    if (typeof source !== 'function') return Promise.resolve(source);
    const fetched = Promise.resolve()
      .then(() => source())
      .then(checked);
    fetched.catch(() => {
      if (this.#known === fetched) this.#known = undefined;
    });
    return fetched;
  }
}

/** Metadata with `token`, if there is one. */
export function bearer(token: string | undefined, metadata = new Metadata()): Metadata {
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}
