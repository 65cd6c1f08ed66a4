// A shopper's browser as far as the API knows it: it keeps cookies, and says where a call is from.

/** Of whatever came; that a field is there is what tests look at. */
export interface Body {
  readonly sessionId: string;
  readonly seats: readonly { seatId: string; expiresAt?: number; status?: string }[];
  readonly revision: number;
  readonly serverTime: number;
  readonly code: string;
  readonly message: string;
  readonly orderId: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

type Fields = Readonly<Record<string, string>>;

export class Browser {
  readonly cookies = new Map<string, string>();

  constructor(
    readonly site: string,
    readonly headers: Fields = {},
  ) {}

  async page(path: string): Promise<{ status: number; text: string; headers: Headers }> {
    const response = await this.#fetch(path, { headers: { ...this.headers } });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  /** A call with a JSON body, where there is one. */
  async call(method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
    const type: Fields = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await this.#fetch(path, {
      method,
      headers: { ...this.headers, ...type, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = text === '' ? null : JSON.parse(text);
    return { status: response.status, headers: response.headers, body: json };
  }

  async #fetch(path: string, init: RequestInit & { headers: Fields }): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...init.headers, ...(cookie === '' ? {} : { cookie }) };
    const response = await fetch(this.site + path, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
      this.cookies.set(name, value);
    }
    return response;
  }
}
