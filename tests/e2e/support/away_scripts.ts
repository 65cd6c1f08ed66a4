// Conversations while the seat service is away from the edge (docs/websocket.md has the table).
import type { Script } from './script.js';
import {
  change,
  live,
  mine,
  opens,
  recoveredAway,
  resume,
  snapshot,
  subscribe,
  subscribed,
} from './script_frames.js';

export const away: Script = {
  name: 'who comes while the seat service is away, and what it gets on the return',
  steps: [
    { deed: (deeds, showtime) => deeds.lock(showtime, ['A01'], 'alice') },
    opens('stays'),
    { by: 'stays', say: subscribe(), hear: { stays: [subscribed(1), snapshot(1, ['A01'])] } },
    {
      deed: (deeds, showtime) => deeds.book(showtime, ['A02'], 'bob'),
      hear: { stays: [change(2, 'book', 'A02', 'booked')] },
    },
    { deed: (deeds) => deeds.goAway(), hear: { stays: [live(false)] } },
    opens('newcomer'),
    {
      by: 'newcomer',
      say: subscribe(),
      hear: { newcomer: [live(false), snapshot(2, ['A01'], ['A02'])] },
    },
    opens('behind'),
    {
      by: 'behind',
      say: subscribe({ sessionId: 'bob', ...resume(1) }),
      hear: {
        behind: [
          subscribed(1, recoveredAway),
          live(false),
          change(2, 'book', 'A02', 'booked', { sessionId: 'bob' }),
        ],
      },
    },
    opens('current'),
    {
      by: 'current',
      say: subscribe({ sessionId: 'alice', ...resume(2) }),
      hear: {
        current: [subscribed(2, { ...recoveredAway, yourSeats: [mine('A01')] }), live(false)],
      },
    },
    {
      deed: (deeds) => deeds.comeBack(),
      hear: {
        stays: [live(true)],
        newcomer: [subscribed(2, { recovered: true }), live(true)],
        behind: [live(true)],
        current: [live(true)],
      },
    },
    {
      deed: (deeds, showtime) => deeds.unlock(showtime, ['A01'], 'alice'),
      hear: {
        stays: [change(3, 'unlock', 'A01', 'unlocked')],
        newcomer: [change(3, 'unlock', 'A01', 'unlocked')],
        behind: [change(3, 'unlock', 'A01', 'unlocked')],
        current: [change(3, 'unlock', 'A01', 'unlocked', { sessionId: 'alice' })],
      },
    },
  ],
};

export const awayElsewhere: Script = {
  name: 'who may know better than the edge is shown nothing, and is not live before it is current',
  steps: [
    { deed: (deeds, showtime) => deeds.lock(showtime, ['A01'], 'alice') },
    opens('stays'),
    { by: 'stays', say: subscribe(), hear: { stays: [subscribed(1), snapshot(1, ['A01'])] } },
    { deed: (deeds) => deeds.goAway(), hear: { stays: [live(false)] } },
    opens('ahead'),
    { by: 'ahead', say: subscribe(resume(2)), hear: { ahead: [live(false)] } },
    opens('elsewhere'),
    { by: 'elsewhere', say: subscribe(resume(1, 'another')), hear: { elsewhere: [live(false)] } },
    {
      deed: (deeds) => deeds.comeBack(),
      hear: {
        stays: [live(true)],
        ahead: [subscribed(1), snapshot(1, ['A01']), live(true)],
        elsewhere: [subscribed(1), snapshot(1, ['A01']), live(true)],
      },
    },
  ],
};

export const awayUnknown: Script = {
  name: 'a showtime that nobody followed before the seat service went away',
  steps: [
    { deed: (deeds, showtime) => deeds.lock(showtime, ['A01'], 'alice') },
    opens('stays'),
    {
      by: 'stays',
      say: subscribe({ showtimeId: 'SHOWTIME-2' }),
      hear: {
        stays: [
          subscribed(0, { showtimeId: 'SHOWTIME-2' }),
          { ...snapshot(0), showtimeId: 'SHOWTIME-2' },
        ],
      },
    },
    {
      deed: (deeds) => deeds.goAway(),
      hear: { stays: [live(false, { showtimeId: 'SHOWTIME-2' })] },
    },
    opens('newcomer'),
    { by: 'newcomer', say: subscribe(), hear: { newcomer: [live(false)] } },
    opens('back'),
    { by: 'back', say: subscribe(resume(1, 'another')), hear: { back: [live(false)] } },
    {
      deed: (deeds) => deeds.comeBack(),
      hear: {
        stays: [live(true, { showtimeId: 'SHOWTIME-2' })],
        newcomer: [subscribed(1), snapshot(1, ['A01']), live(true)],
        back: [subscribed(1), snapshot(1, ['A01']), live(true)],
      },
    },
  ],
};
