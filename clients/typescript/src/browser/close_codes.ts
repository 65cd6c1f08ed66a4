// What a close code asks of a client, by its range (docs/websocket.md), so that codes which are
// newer than this client are treated rightly.

/** A token that the edge does not take. */
export const TOKEN_REJECTED = 4001;
/** A token that has ended. */
export const TOKEN_EXPIRED = 4202;

export type ComeBack = 'never' | 'after a pause' | 'at once' | 'as usual';

/** `as usual`: codes of RFC 6455, and 0 for a socket that failed without one. */
export function comeBack(closeCode: number): ComeBack {
  if (closeCode < 4000 || closeCode >= 4300) return 'as usual';
  if (closeCode < 4100) return 'never';
  return closeCode < 4200 ? 'after a pause' : 'at once';
}
