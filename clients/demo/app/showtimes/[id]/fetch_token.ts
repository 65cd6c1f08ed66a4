// Where the page's tokens come from. `query`: `?as=NAME`, or nothing.

export async function fetchToken(query: string): Promise<string> {
  const answer = await fetch(`/api/seat-token${query}`, { cache: 'no-store' });
  if (!answer.ok) {
    throw new Error(`/api/seat-token: HTTP ${answer.status}`);
  }
  const { token } = (await answer.json()) as { readonly token: string };
  return token;
}
