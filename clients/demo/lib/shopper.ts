// Who looks at a page, and how its links and calls stay with them: `?as=NAME` goes along.

import { cookies } from 'next/headers';
import { siteEnv } from './env';
import { cookieSecret } from './secret';
import { cookieName, sessionIn, shopperName } from './session';

export type Query = Promise<Record<string, string | string[] | undefined>>;

export interface Shopper {
  readonly sessionId: string;
  /** NAME of `?as=NAME`; null: the browser's own shopper. */
  readonly as: string | null;
  /** The path with `?as=NAME`, where there is one. */
  readonly link: (path: string) => string;
}

export async function shopper(query: Query): Promise<Shopper> {
  const asked = (await query).as;
  const first = Array.isArray(asked) ? asked[0] : asked;
  const as = (siteEnv().demoShoppers ? shopperName(first) : null) ?? null;
  const name = cookieName(as);
  const sessionId = sessionIn(name, (await cookies()).get(name)?.value, cookieSecret());
  if (sessionId === null) {
    throw new Error('no session: does proxy.ts run for this page?');
  }
  const link = (path: string) => (as === null ? path : `${path}?as=${as}`);
  return { sessionId, as, link };
}
