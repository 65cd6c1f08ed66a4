import { expect, test } from 'vitest';
import { rankServers, rendezvousScore } from './rendezvous.js';

// common/base/rendezvous_test.cc has the same.
test.each([
  ['127.0.0.1:50051', '123', 0x24f590436bfb0aa7n],
  ['127.0.0.1:50052', '123', 0x679a726417f6b67bn],
  ['', '', 0xb9034ad37056f5fbn],
  ['[::1]:50051', 'Vorführung 7', 0x001728866e490a8cn],
  ['seat-1.example:443', 'x'.repeat(128), 0x1f82a839ae129da2n],
])('the score of %s for %s is that of every client', (server, showtimeId, score) => {
  expect(rendezvousScore(server, showtimeId)).toBe(score);
});

test('the order of the list makes no difference', () => {
  const one = ['a:1', 'b:1', 'c:1'];
  const other = ['c:1', 'a:1', 'b:1'];
  for (let i = 0; i < 100; ++i) {
    const ranked = rankServers(one, `showtime-${i}`).map((place) => one[place]);
    expect(rankServers(other, `showtime-${i}`).map((place) => other[place])).toEqual(ranked);
  }
});

test('showtimes spread, and only those of a lost server move', () => {
  const three = ['10.0.0.1:50051', '10.0.0.2:50051', '10.0.0.3:50051'];
  const preferred = [0, 0, 0];
  for (let i = 0; i < 3000; ++i) {
    const first = rankServers(three, String(i))[0] ?? -1;
    preferred[first] = (preferred[first] ?? 0) + 1;
    if (first !== 2) expect(rankServers(three.slice(0, 2), String(i))[0]).toBe(first);
  }
  for (const showtimes of preferred) {
    expect(showtimes).toBeGreaterThan(850);
    expect(showtimes).toBeLessThan(1150);
  }
});
