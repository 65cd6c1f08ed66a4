// The fake edge's tokens: JWTs in shape, signed with nothing but the name of the current key.

/** What a token is made for. */
export interface FakeTokenOptions {
  /** Default: the shopper whom the routes' cookie names. */
  readonly sessionId?: string;
  /** Ids, or `*` for all, which is the default. */
  readonly showtimes?: readonly string[] | '*';
  /** Default ten minutes. */
  readonly lifeMs?: number;
}

export interface FakeClaims {
  readonly sessionId: string;
  /** Unix ms. */
  readonly endsAt: number;
}

/** Why a connection is closed. */
export interface FakeTokenRefusal {
  readonly closeCode: 4001 | 4003 | 4202;
  readonly reason: string;
}

const LIFE_MS = 600_000;
const encode = (value: object) => btoa(JSON.stringify(value)).replace(/=+$/, '');

export class FakeTokens {
  private key = 1;
  private minted = 0;

  mint(
    { sessionId = '', showtimes = '*', lifeMs = LIFE_MS }: FakeTokenOptions,
    now: number,
  ): string {
    // `jti` makes each a token of its own.
    const exp = (now + lifeMs) / 1_000;
    const payload = encode({ sub: sessionId, showtimes, exp, jti: ++this.minted });
    return `${encode({ alg: 'fake' })}.${payload}.key-${this.key}`;
  }

  changeKey(): void {
    this.key++;
  }

  judge(token: string, showtimeId: string, now: number): FakeClaims | FakeTokenRefusal {
    const [, payload = '', key] = token.split('.');
    if (key !== `key-${this.key}`) return { closeCode: 4001, reason: 'bad token' };
    const { sub, showtimes, exp } = JSON.parse(atob(payload)) as {
      readonly sub: string;
      readonly showtimes: readonly string[] | '*';
      readonly exp: number;
    };
    if (exp * 1_000 <= now) return { closeCode: 4202, reason: 'token expired' };
    if (showtimes !== '*' && !showtimes.includes(showtimeId)) {
      return { closeCode: 4003, reason: 'token is for another showtime' };
    }
    return { sessionId: sub, endsAt: exp * 1_000 };
  }
}
