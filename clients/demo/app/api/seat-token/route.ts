// The token by which a page follows seats at the edge: {token}, for the shopper of the cookie, good
// for ten minutes. Nobody else can read the answer: browsers show it to pages of this site alone.

import type { NextRequest } from 'next/server';
import { answer, refuse } from '@/lib/answers';
import { knownShowtime, serve } from '@/lib/api';
import { siteEnv } from '@/lib/env';
import { seatToken } from '@/lib/seat_token';

/** `?showtimeId`: for that showtime alone; without it for all, as a page shares one socket. */
export function GET(request: NextRequest): Promise<Response> {
  return serve(request, async ({ sessionId, query }) => {
    const { tokenKeys } = siteEnv();
    if (tokenKeys === undefined) {
      return refuse('NO_TOKENS', 'This site follows seats without tokens.');
    }
    const asked = query.get('showtimeId');
    if (asked === null) {
      return answer({ token: await seatToken(tokenKeys, sessionId, '*') });
    }
    const showtime = knownShowtime(asked);
    if (showtime instanceof Response) {
      return showtime;
    }
    return answer({ token: await seatToken(tokenKeys, sessionId, [showtime.id]) });
  });
}
