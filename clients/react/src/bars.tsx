// What stands around the seats: the connection, what is chosen and until when, refusals,
// announcements, the legend.

import type { Showtime } from '@seatlock/client';
import type { Hall } from './layout.js';
import { connectionText, type Messages, type SeatPhase } from './messages.js';
import type { SeatSelectionStore } from './selection_types.js';
import { useSelectionSnapshot } from './use_seat_selection.js';
import { useConnection } from './use_showtime.js';

interface ConnectionProps {
  readonly showtime: Showtime;
  readonly messages: Messages;
}

/** The green dot, and in words what it says; a way back where none is taken by itself. */
export function Connection({ showtime, messages }: ConnectionProps) {
  const state = useConnection(showtime);
  const { status } = state;
  return (
    <div className="sl-tools">
      <span className="sl-connection" data-testid="seatlock-connection" data-status={status}>
        <span className="sl-dot" aria-hidden="true" />
        {connectionText(state, messages)}
      </span>
      {status === 'closed' && (
        <button type="button" onClick={() => showtime.reconnect()}>
          {messages.reconnect}
        </button>
      )}
    </div>
  );
}

interface SelectionProps {
  readonly selection: SeatSelectionStore;
  readonly hall: Hall;
  readonly messages: Messages;
}

/** The seats chosen, their cost, how long they are kept. Renders once a second while any are. */
export function Summary({ selection, hall, messages }: SelectionProps) {
  const { seats, secondsLeft, extending } = useSelectionSnapshot(selection);
  const chosen = seats.flatMap(({ seatId, phase }) => {
    const place = hall.places.get(seatId);
    return place && phase !== 'releasing' ? [place] : [];
  });
  const total = chosen.reduce((sum, place) => sum + place.price, 0);
  return (
    <div className="sl-summary">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset has borders of its own. */}
      <div role="group" aria-label={messages.summary} data-testid="seatlock-summary">
        {chosen.length === 0 && messages.nothing}
        {chosen.length > 0 && (
          <>
            <ul>
              {chosen.map(({ seat, label, priceText }) => (
                <li key={seat.seatId}>
                  {label} <span>{priceText}</span>
                </li>
              ))}
            </ul>
            <strong>
              {messages.total} {hall.money(total)}
            </strong>
          </>
        )}
      </div>
      {secondsLeft !== null && (
        <div className="sl-hold">
          <span>
            {messages.countdown}{' '}
            <span role="timer" data-testid="seatlock-countdown" data-urgent={secondsLeft <= 60}>
              {minutes(secondsLeft)}
            </span>
          </span>
          <button
            type="button"
            aria-keyshortcuts="e"
            aria-disabled={extending}
            onClick={() => void selection.extend()}
          >
            {messages.extend}
          </button>
        </div>
      )}
    </div>
  );
}

function minutes(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
}

/**
 * A refusal to see and to hear, and what else is to be heard. It stands below the seats, which must
 * not move under a finger, and stays in sight.
 */
export function Voice({ selection, messages }: Omit<SelectionProps, 'hall'>) {
  const { alert, notice } = useSelectionSnapshot(selection);
  return (
    <div className="sl-voice">
      {alert && (
        <div key={alert.id} role="alert" className="sl-alert">
          <span>{alert.text}</span>
          <button type="button" aria-label={messages.dismiss} onClick={() => selection.dismiss()}>
            ×
          </button>
        </div>
      )}
      <div role="status" className="sl-status">
        {notice && (
          <span key={notice.id} className={notice.spoken ? 'sl-hidden' : undefined}>
            {notice.text}
          </span>
        )}
      </div>
    </div>
  );
}

const SHOWN: readonly (readonly [SeatPhase, string])[] = [
  ['available', 'available'],
  ['selected', 'selected'],
  ['locked', 'locked'],
  ['booked', 'booked'],
];

/** The states' shapes in words, and the prices. */
export function Legend({ hall, messages }: Omit<SelectionProps, 'selection'>) {
  return (
    <ul className="sl-legend" aria-label={messages.legend}>
      {SHOWN.map(([phase, state]) => (
        <li key={phase}>
          <span className="sl-seat" data-state={state} aria-hidden="true" />
          {messages.states[phase]}
        </li>
      ))}
      {hall.layout.categories.map(({ id, name, price, color }) => (
        <li key={id}>
          <span className="sl-swatch" style={{ background: color }} aria-hidden="true" />
          {name} {hall.money(price)}
        </li>
      ))}
    </ul>
  );
}
