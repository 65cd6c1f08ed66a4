// Tokens by which a page follows seats at the edge as its shopper: JWTs, signed by a secret that
// site and edge share. The file is read for each token, so a key that was changed counts at once.

import { readFile } from 'node:fs/promises';
import { importJWK, type JWK, SignJWT } from 'jose';

/** Short: a token that leaked shows its shopper's seats no longer than this. */
export const TOKEN_LIFE_S = 600;

/**
 * A token for the session; `showtimes`: ids, or `*` for all. Throws if the file has no HS256 key,
 * and never tells what is in it.
 */
export async function seatToken(
  file: string,
  sessionId: string,
  showtimes: readonly string[] | '*',
  nowS = Math.floor(Date.now() / 1000),
): Promise<string> {
  const jwk = await signingKey(file);
  return new SignJWT({ showtimes })
    .setProtectedHeader({
      alg: 'HS256',
      typ: 'JWT',
      ...(jwk.kid !== undefined && { kid: jwk.kid }),
    })
    .setSubject(sessionId)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + TOKEN_LIFE_S)
    .sign(await importJWK(jwk, 'HS256'));
}

/** The first: a key that is to come stands behind it until every edge knows it. */
async function signingKey(file: string): Promise<JWK> {
  const text = await readFile(file, 'utf8');
  const found = keysIn(text).find(({ kty, alg }) => kty === 'oct' && alg === 'HS256');
  if (found === undefined) {
    throw new Error(`SEATLOCK_TOKEN_JWKS: ${file} should have a key with "alg": "HS256"`);
  }
  return found;
}

function keysIn(text: string): readonly JWK[] {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown };
    return Array.isArray(keys) ? keys : [];
  } catch {
    return [];
  }
}
