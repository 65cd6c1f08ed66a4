// The conversations that the fake server and the real edge are held to.
import { away, awayElsewhere, awayUnknown } from './away_scripts.js';
import type { Heard, Script, Step } from './script.js';
import {
  change,
  error,
  follows,
  HELLO,
  held,
  mine,
  more,
  opens,
  PONG,
  resume,
  SHOWTIME,
  snapshot,
  subscribe,
  subscribed,
  unsubscribe,
} from './script_frames.js';

const changes: Script = {
  name: 'what each cause says to its session and to everybody else',
  steps: [
    ...follows('alice', 'alice'),
    ...follows('viewer'),
    {
      deed: (deeds, showtime) => deeds.lock(showtime, ['A06'], 'alice'),
      hear: {
        alice: [change(1, 'lock', 'A06', 'locked', held('alice'))],
        viewer: [change(1, 'lock', 'A06', 'locked')],
      },
    },
    {
      deed: (deeds, showtime) => deeds.lock(showtime, ['A07', 'A08', 'A09'], 'alice'),
      hear: {
        alice: [
          change(2, 'lock', 'A07', 'locked', { ...held('alice'), ...more }),
          change(2, 'lock', 'A08', 'locked', { ...held('alice'), ...more }),
          change(2, 'lock', 'A09', 'locked', held('alice')),
        ],
        viewer: [
          change(2, 'lock', 'A07', 'locked', more),
          change(2, 'lock', 'A08', 'locked', more),
          change(2, 'lock', 'A09', 'locked'),
        ],
      },
    },
    // What is held already changes nothing.
    { deed: (deeds, showtime) => deeds.lock(showtime, ['A06'], 'alice') },
    {
      deed: (deeds, showtime) => deeds.extend(showtime, ['A06', 'A07'], 'alice', 3_600_000),
      hear: {
        alice: [
          change(3, 'extend', 'A06', 'locked', { ...held('alice'), ...more }),
          change(3, 'extend', 'A07', 'locked', held('alice')),
        ],
        viewer: [change(3, 'extend', 'A06', 'locked', more), change(3, 'extend', 'A07', 'locked')],
      },
    },
    {
      deed: (deeds, showtime) => deeds.swap(showtime, 'B01', 'A09', 'alice'),
      hear: {
        alice: [
          change(4, 'swap', 'B01', 'locked', { ...held('alice'), ...more }),
          change(4, 'swap', 'A09', 'unlocked', { sessionId: 'alice' }),
        ],
        viewer: [change(4, 'swap', 'B01', 'locked', more), change(4, 'swap', 'A09', 'unlocked')],
      },
    },
    {
      deed: (deeds, showtime) => deeds.unlock(showtime, ['A08', 'B01'], 'alice'),
      hear: {
        alice: [
          change(5, 'unlock', 'A08', 'unlocked', { sessionId: 'alice', ...more }),
          change(5, 'unlock', 'B01', 'unlocked', { sessionId: 'alice' }),
        ],
        viewer: [
          change(5, 'unlock', 'A08', 'unlocked', more),
          change(5, 'unlock', 'B01', 'unlocked'),
        ],
      },
    },
    // A seat that is available already is success, and no change.
    { deed: (deeds, showtime) => deeds.unlock(showtime, ['A08'], 'alice') },
    {
      deed: (deeds, showtime) => deeds.lock(showtime, ['C01'], 'bob'),
      hear: {
        alice: [change(6, 'lock', 'C01', 'locked')],
        viewer: [change(6, 'lock', 'C01', 'locked')],
      },
    },
    {
      deed: (deeds, showtime) => deeds.book(showtime, ['A06', 'A07'], 'alice'),
      hear: {
        alice: [
          change(7, 'book', 'A06', 'booked', { sessionId: 'alice', ...more }),
          change(7, 'book', 'A07', 'booked', { sessionId: 'alice' }),
        ],
        viewer: [change(7, 'book', 'A06', 'booked', more), change(7, 'book', 'A07', 'booked')],
      },
    },
    {
      deed: (deeds, showtime) => deeds.cancel(showtime, ['A06', 'A07']),
      hear: {
        alice: [
          change(8, 'cancel', 'A06', 'unlocked', { sessionId: 'alice', ...more }),
          change(8, 'cancel', 'A07', 'unlocked', { sessionId: 'alice' }),
        ],
        viewer: [
          change(8, 'cancel', 'A06', 'unlocked', more),
          change(8, 'cancel', 'A07', 'unlocked'),
        ],
      },
    },
    {
      deed: (deeds, showtime) => deeds.lock(showtime, ['A06', 'A05'], 'alice', 1_000),
      hear: {
        alice: [
          change(9, 'lock', 'A06', 'locked', { ...held('alice'), ...more }),
          change(9, 'lock', 'A05', 'locked', held('alice')),
          change(10, 'expired', 'A05', 'unlocked', { sessionId: 'alice', ...more }),
          change(10, 'expired', 'A06', 'unlocked', { sessionId: 'alice' }),
        ],
        viewer: [
          change(9, 'lock', 'A06', 'locked', more),
          change(9, 'lock', 'A05', 'locked'),
          change(10, 'expired', 'A05', 'unlocked', more),
          change(10, 'expired', 'A06', 'unlocked'),
        ],
      },
    },
  ],
};

/** Two changes before anybody follows: A01 is alice's, A02 is sold. */
const begun: readonly Step[] = [
  { deed: (deeds, showtime) => deeds.lock(showtime, ['A01'], 'alice') },
  { deed: (deeds, showtime) => deeds.book(showtime, ['A02'], 'bob') },
];

const snapshots: Script = {
  name: 'what a subscriber learns at once',
  steps: [
    ...begun,
    opens('viewer'),
    {
      by: 'viewer',
      say: subscribe(),
      hear: { viewer: [subscribed(2), snapshot(2, ['A01'], ['A02'])] },
    },
    opens('alice'),
    {
      by: 'alice',
      say: subscribe({ sessionId: 'alice', userId: 'u', heartbeat: false, token: 't', later: 1 }),
      hear: {
        alice: [subscribed(2, { yourSeats: [mine('A01')] }), snapshot(2, ['A01'], ['A02'])],
      },
    },
    opens('bob'),
    {
      by: 'bob',
      say: subscribe({ sessionId: 'bob', userId: null, resume: null }),
      hear: { bob: [subscribed(2), snapshot(2, ['A01'], ['A02'])] },
    },
    // Afresh, and now as somebody else: no frame comes twice.
    {
      by: 'bob',
      say: subscribe({ sessionId: 'alice' }),
      hear: { bob: [subscribed(2, { yourSeats: [mine('A01')] }), snapshot(2, ['A01'], ['A02'])] },
    },
    {
      deed: (deeds, showtime) => deeds.unlock(showtime, ['A01'], 'alice'),
      hear: {
        viewer: [change(3, 'unlock', 'A01', 'unlocked')],
        alice: [change(3, 'unlock', 'A01', 'unlocked', { sessionId: 'alice' })],
        bob: [change(3, 'unlock', 'A01', 'unlocked', { sessionId: 'alice' })],
      },
    },
  ],
};

const order: Script = {
  name: 'the order of the seats of a snapshot, and of changes',
  steps: [
    { deed: (deeds, showtime) => deeds.lock(showtime, ['B02', 'A10'], 'alice') },
    { deed: (deeds, showtime) => deeds.lock(showtime, ['A03'], 'alice') },
    { deed: (deeds, showtime) => deeds.book(showtime, ['C02', 'B01'], 'bob') },
    opens('line'),
    {
      by: 'line',
      say: subscribe({ sessionId: 'alice' }),
      hear: {
        line: [
          subscribed(3, { yourSeats: ['A03', 'A10', 'B02'].map(mine) }),
          snapshot(3, ['A03', 'A10', 'B02'], ['B01', 'C02']),
        ],
      },
    },
    {
      deed: (deeds, showtime) => deeds.unlock(showtime, ['B02', 'A03', 'A10'], 'alice'),
      hear: {
        line: [
          change(4, 'unlock', 'B02', 'unlocked', { sessionId: 'alice', ...more }),
          change(4, 'unlock', 'A03', 'unlocked', { sessionId: 'alice', ...more }),
          change(4, 'unlock', 'A10', 'unlocked', { sessionId: 'alice' }),
        ],
      },
    },
    {
      deed: (deeds, showtime) => deeds.cancel(showtime, ['C02', 'B01']),
      hear: {
        line: [
          change(5, 'cancel', 'C02', 'unlocked', more),
          change(5, 'cancel', 'B01', 'unlocked'),
        ],
      },
    },
  ],
};

const resumes: Script = {
  name: 'a resume from a position that is known, too new, or of another history',
  steps: [
    ...begun,
    opens('line'),
    {
      by: 'line',
      say: subscribe(),
      hear: { line: [subscribed(2), snapshot(2, ['A01'], ['A02'])] },
    },
    {
      deed: (deeds, showtime) => deeds.lock(showtime, ['A03', 'A04'], 'alice'),
      hear: {
        line: [change(3, 'lock', 'A03', 'locked', more), change(3, 'lock', 'A04', 'locked')],
      },
    },
    {
      by: 'line',
      say: subscribe({ sessionId: 'alice', ...resume(2) }),
      hear: {
        line: [
          subscribed(2, { recovered: true, yourSeats: ['A01', 'A03', 'A04'].map(mine) }),
          change(3, 'lock', 'A03', 'locked', { ...held('alice'), ...more }),
          change(3, 'lock', 'A04', 'locked', held('alice')),
        ],
      },
    },
    { by: 'line', say: subscribe(resume(3)), hear: { line: [subscribed(3, { recovered: true })] } },
    {
      by: 'line',
      say: subscribe(resume(3, 'another')),
      hear: { line: [subscribed(3), snapshot(3, ['A01', 'A03', 'A04'], ['A02'])] },
    },
    {
      by: 'line',
      say: subscribe(resume(0, '')),
      hear: {
        line: [
          subscribed(0, { epoch: 'EPOCH', recovered: true }),
          change(1, 'lock', 'A01', 'locked'),
          change(2, 'book', 'A02', 'booked'),
          change(3, 'lock', 'A03', 'locked', more),
          change(3, 'lock', 'A04', 'locked'),
        ],
      },
    },
  ],
};

const leaves: Script = {
  name: 'leaving one showtime, all, and one that nobody follows',
  steps: [
    ...follows('line'),
    {
      by: 'line',
      say: unsubscribe({ showtimeId: 'SHOWTIME-2' }),
      hear: { line: [{ type: 'unsubscribed', showtimeId: 'SHOWTIME-2' }] },
    },
    {
      by: 'line',
      say: unsubscribe(SHOWTIME),
      hear: { line: [{ type: 'unsubscribed', ...SHOWTIME }] },
    },
    { deed: (deeds, showtime) => deeds.lock(showtime, ['A01'], 'alice') },
    { by: 'line', say: unsubscribe(), hear: { line: [{ type: 'unsubscribed' }] } },
    {
      by: 'line',
      say: [subscribe(), subscribe({ showtimeId: 'SHOWTIME-2' })],
      anyOrder: true,
      hear: {
        line: [
          subscribed(1),
          snapshot(1, ['A01']),
          subscribed(0, { showtimeId: 'SHOWTIME-2' }),
          { ...snapshot(0), showtimeId: 'SHOWTIME-2' },
        ],
      },
    },
    {
      by: 'line',
      say: unsubscribe(),
      anyOrder: true,
      hear: {
        line: [
          { type: 'unsubscribed', ...SHOWTIME },
          { type: 'unsubscribed', showtimeId: 'SHOWTIME-2' },
        ],
      },
    },
    { deed: (deeds, showtime) => deeds.unlock(showtime, ['A01'], 'alice') },
  ],
};

const badJson = ['', '{', 'hello', '[]', 'null', '7', '{} {}', '{"type":"ping","x":"\\ud800"}'];

const id = (bytes: number) => 'x'.repeat(bytes);
/** Each with what its error says of the showtime. */
const badFields: readonly (readonly [object | string, object?])[] = [
  [{}],
  [{ type: 5 }],
  [{ type: null }],
  [{ type: 'subscribe' }],
  [{ type: 'subscribe', showtimeId: null }],
  [{ type: 'subscribe', showtimeId: 5 }],
  [{ type: 'subscribe', showtimeId: '' }],
  [{ type: 'subscribe', showtimeId: id(129) }],
  [{ type: 'subscribe', showtimeId: 'é'.repeat(65) }],
  [{ type: 'subscribe', showtimeId: 'a\nb' }],
  [{ type: 'subscribe', showtimeId: 'a\u007f' }],
  [{ type: 'subscribe', showtimeId: 'a\u0085' }],
  [subscribe({ sessionId: '' }), SHOWTIME],
  [subscribe({ sessionId: {} }), SHOWTIME],
  [subscribe({ sessionId: id(129) }), SHOWTIME],
  [subscribe({ heartbeat: 'yes' }), SHOWTIME],
  [subscribe({ token: 1 }), SHOWTIME],
  [subscribe({ resume: 41 }), SHOWTIME],
  [subscribe({ resume: { epoch: 'e' } }), SHOWTIME],
  [subscribe({ resume: { revision: 1 } }), SHOWTIME],
  [subscribe({ resume: { epoch: 1, revision: 1 } }), SHOWTIME],
  [subscribe({ resume: { epoch: id(129), revision: 1 } }), SHOWTIME],
  [subscribe({ resume: { epoch: 'e', revision: -1 } }), SHOWTIME],
  [subscribe({ resume: { epoch: 'e', revision: 1.5 } }), SHOWTIME],
  [subscribe({ resume: { epoch: 'e', revision: '1' } }), SHOWTIME],
  ['{"type":"subscribe","showtimeId":"SHOWTIME","resume":{"epoch":"e","revision":1e30}}', SHOWTIME],
  [{ type: 'unsubscribe', showtimeId: '' }],
  [{ type: 'unsubscribe', showtimeId: 5 }],
];

/** One bad message, after which all goes on. */
const oneBad = (said: object | string, heard: Heard): Script => ({
  name: `a bad message: ${JSON.stringify(said).slice(0, 70)}`,
  steps: [
    ...follows('line'),
    { by: 'line', say: said, hear: { line: [heard] } },
    {
      deed: (deeds, showtime) => deeds.lock(showtime, ['A01'], 'alice'),
      hear: { line: [change(1, 'lock', 'A01', 'locked')] },
    },
  ],
});

const refusedMessages: Script = {
  name: 'the third bad message closes with 4000; unknown types do not count',
  steps: [
    ...follows('line'),
    ...['wave', 'Subscribe', 'pong'].map(
      (type): Step => ({ by: 'line', say: { type }, hear: { line: [error('UNKNOWN_TYPE')] } }),
    ),
    { by: 'line', say: '{', hear: { line: [error('BAD_JSON')] } },
    { by: 'line', say: { type: 1 }, hear: { line: [error('BAD_FIELD')] } },
    { by: 'line', say: { type: 'ping' }, hear: { line: [PONG] } },
    { by: 'line', say: '{', hear: { line: [error('BAD_JSON')] }, close: { line: 4000 } },
  ],
};

const many = Array.from({ length: 64 }, (_, n) => `SHOWTIME-${n}`);

const tooMany: Script = {
  name: 'a 65th showtime is refused, and there is room for it once another is left',
  steps: [
    // Followed by somebody, so that it is no new showtime, of which a connection opens few more.
    ...follows('other'),
    opens('line'),
    {
      by: 'line',
      say: many.map((showtimeId) => subscribe({ showtimeId })),
      anyOrder: true,
      hear: {
        line: many.flatMap((showtimeId) => [
          subscribed(0, { showtimeId }),
          { ...snapshot(0), showtimeId },
        ]),
      },
    },
    {
      by: 'line',
      say: subscribe(),
      hear: { line: [error('TOO_MANY_SUBSCRIPTIONS', SHOWTIME)] },
    },
    // One that is followed is no further one.
    {
      by: 'line',
      say: subscribe({ showtimeId: 'SHOWTIME-0' }),
      hear: {
        line: [
          subscribed(0, { showtimeId: 'SHOWTIME-0' }),
          { ...snapshot(0), showtimeId: 'SHOWTIME-0' },
        ],
      },
    },
    {
      by: 'line',
      say: unsubscribe({ showtimeId: 'SHOWTIME-0' }),
      hear: { line: [{ type: 'unsubscribed', showtimeId: 'SHOWTIME-0' }] },
    },
    { by: 'line', say: subscribe(), hear: { line: [subscribed(0), snapshot(0)] } },
  ],
};

const protocols: Script = {
  name: 'subprotocols: one that is known is chosen, one that is not ends the attempt',
  steps: [
    { open: 'plain', hear: { plain: [HELLO] } },
    {
      open: 'json',
      protocol: 'seatlock.v1.json',
      hear: { json: [HELLO] },
      chosen: 'seatlock.v1.json',
    },
    { open: 'other', protocol: 'seatlock.v9', close: { other: 1006 } },
  ],
};

const sizes: Script = {
  name: 'a message of 4 KiB is read, one above closes with 1009',
  steps: [
    opens('line'),
    { by: 'line', say: `{"type":"ping"}${' '.repeat(4096 - 15)}`, hear: { line: [PONG] } },
    { by: 'line', say: `{"type":"ping"}${' '.repeat(4097 - 15)}`, close: { line: 1009 } },
  ],
};

export const scripts: readonly Script[] = [
  changes,
  snapshots,
  order,
  resumes,
  away,
  awayElsewhere,
  awayUnknown,
  leaves,
  refusedMessages,
  tooMany,
  protocols,
  sizes,
  ...badJson.map((said) => oneBad(said, error('BAD_JSON'))),
  ...badFields.map(([said, of]) => oneBad(said, error('BAD_FIELD', of))),
];

/** For an edge that has opened as many new showtimes as it may after SHOWTIME itself. */
export const refusal: Script = {
  name: 'a new showtime too many is RATE_LIMITED, and what is followed goes on',
  steps: [
    opens('line'),
    {
      by: 'line',
      say: [subscribe(), subscribe({ showtimeId: 'SHOWTIME-2' })],
      anyOrder: true,
      hear: {
        line: [
          subscribed(0),
          snapshot(0),
          error('RATE_LIMITED', { showtimeId: 'SHOWTIME-2', retryAfterMs: 'a number' }),
        ],
      },
    },
    {
      deed: (deeds, showtime) => deeds.lock(showtime, ['A01'], 'alice'),
      hear: { line: [change(1, 'lock', 'A01', 'locked')] },
    },
    // Followed already, so it is not new.
    { by: 'line', say: subscribe(), hear: { line: [subscribed(1), snapshot(1, ['A01'])] } },
  ],
};
