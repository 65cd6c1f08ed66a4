// SeatSelection: the styled default on top of the headless selection. Its look is styles.css alone.

import { type KeyboardEvent, useMemo, useState } from 'react';
import { Connection, Legend, Summary, Voice } from './bars.js';
import { type HallLayout, readLayout } from './layout.js';
import { defaultMessages, type Messages } from './messages.js';
import type { Drawing } from './seat.js';
import { SeatList } from './seat_list.js';
import { SeatMap } from './seat_map.js';
import {
  type UseSeatSelectionOptions,
  useSelectionShowtime,
  useSelectionStore,
} from './use_seat_selection.js';
import { useZoom, ZoomButtons } from './zoom.js';

/** See `UseSeatSelectionOptions` for where the seats come from, and for the events. */
export interface SeatSelectionProps
  extends Omit<UseSeatSelectionOptions, 'messages' | 'nameSeat' | 'priceSeat'> {
  readonly showtimeId: string;
  /** The hall. Keep it the same object between renderings. */
  readonly layout: HallLayout;
  readonly className?: string | undefined;
  /** How the hall is drawn at first; the shopper may change it. Default `map`. */
  readonly mode?: 'map' | 'list' | undefined;
  /** Texts to replace, e.g. by translations. Keep it the same object between renderings. */
  readonly messages?: Partial<Messages> | undefined;
}

/**
 * The hall's seats, kept current, to choose from by pointer, touch or keyboard. Needs
 * `@seatlock/react/styles.css`. Rendered on a server it shows `initialSnapshot`.
 */
export function SeatSelection(props: SeatSelectionProps) {
  const { showtimeId, layout, className, mode: firstMode = 'map', messages: texts } = props;
  const messages = useMemo(() => ({ ...defaultMessages, ...texts }), [texts]);
  const hall = useMemo(() => readLayout(layout, messages.seatName), [layout, messages]);
  const selection = useSelectionStore(showtimeId, {
    ...props,
    messages,
    nameSeat: (seatId) => hall.places.get(seatId)?.label ?? seatId,
    priceSeat: (seatId) => hall.places.get(seatId)?.priceText ?? '',
  });
  const showtime = useSelectionShowtime(selection);
  const drawing = useMemo<Drawing>(
    () => ({ selection, showtime, messages }),
    [selection, showtime, messages],
  );
  const [mode, setMode] = useState(firstMode);
  const zoom = useZoom();
  const inMap = mode === 'map';
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: one key, for the button that shows it.
    <div
      className={className === undefined ? 'sl-root' : `sl-root ${className}`}
      data-mode={mode}
      onKeyDown={(event) => {
        if (asksForTime(event)) void selection.extend();
      }}
    >
      <div className="sl-bar">
        <Connection showtime={showtime} messages={messages} />
        <div className="sl-tools">
          {inMap && <ZoomButtons zoom={zoom} messages={messages} />}
          <button type="button" onClick={() => setMode(inMap ? 'list' : 'map')}>
            {inMap ? messages.list : messages.map}
          </button>
        </div>
      </div>
      {inMap ? (
        <div ref={zoom.region} className="sl-map" style={zoom.style}>
          <div className="sl-plan">
            {messages.front !== '' && (
              <div className="sl-front" aria-hidden="true">
                <span>{messages.front}</span>
              </div>
            )}
            <SeatMap drawing={drawing} hall={hall} />
          </div>
        </div>
      ) : (
        <SeatList drawing={drawing} hall={hall} />
      )}
      <Voice selection={selection} messages={messages} />
      <Legend hall={hall} messages={messages} />
      <Summary selection={selection} hall={hall} messages={messages} />
    </div>
  );
}

/** The key `e` alone, and not where text is written. */
function asksForTime({ key, ctrlKey, altKey, metaKey, target }: KeyboardEvent): boolean {
  if (key.toLowerCase() !== 'e' || ctrlKey || altKey || metaKey) return false;
  return !(target instanceof Element && target.closest('input,textarea,select,[contenteditable]'));
}
