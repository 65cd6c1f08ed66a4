// The hall as an ARIA grid with one tab stop. Keys and clicks are handled once, at the grid.

import { type CSSProperties, memo, useState } from 'react';
import type { Hall, HallRow } from './layout.js';
import { type Drawing, Seat, seatIdOf } from './seat.js';
import { handleKey } from './seat_keys.js';

interface SeatMapProps {
  readonly drawing: Drawing;
  readonly hall: Hall;
}

export const SeatMap = /* @__PURE__ */ memo(function SeatMap({ drawing, hall }: SeatMapProps) {
  const [lastFocused, setLastFocused] = useState<string>();
  const stop = hall.places.get(lastFocused ?? '') ?? hall.rows[0]?.places[0];

  return (
    // biome-ignore lint/a11y/useSemanticElements: a table has no layout of aisles and gaps.
    <div
      role="grid"
      className="sl-grid"
      aria-label={hall.layout.name}
      aria-multiselectable="true"
      style={labelWidth(hall.labelLength)}
      onClick={(event) => {
        const seatId = seatIdOf(event.target);
        if (seatId !== undefined) drawing.selection.toggle(seatId);
      }}
      onKeyDown={(event) => handleKey(event, hall, drawing.selection)}
      onFocus={(event) => setLastFocused(seatIdOf(event.target))}
    >
      {hall.layout.sections.map((section) => (
        // biome-ignore lint/a11y/useSemanticElements: part of the grid above.
        <div key={section.id} role="rowgroup" className="sl-section" aria-label={section.name}>
          {hall.layout.sections.length > 1 && (
            <div className="sl-section-name" aria-hidden="true">
              {section.name}
            </div>
          )}
          {hall.rows.map((row) =>
            row.sectionId === section.id ? (
              <SeatRow
                key={row.key}
                drawing={drawing}
                row={row}
                stop={stop && row.places[stop.index] === stop ? stop.seat.seatId : undefined}
              />
            ) : null,
          )}
        </div>
      ))}
    </div>
  );
});

function labelWidth(characters: number): CSSProperties {
  const style: CSSProperties & { '--sl-label': number } = { '--sl-label': characters };
  return style;
}

interface SeatRowProps {
  readonly drawing: Drawing;
  readonly row: HallRow;
  /** The tab stop, where it is in this row: moving it renders two rows. */
  readonly stop: string | undefined;
}

const SeatRow = /* @__PURE__ */ memo(function SeatRow({ drawing, row, stop }: SeatRowProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: part of the grid above.
    // biome-ignore lint/a11y/useFocusableInteractive: its cells are.
    <div role="row" className="sl-row">
      {/* biome-ignore lint/a11y/useSemanticElements: part of the grid above. */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: it does nothing. */}
      <div
        role="rowheader"
        className="sl-row-label"
        aria-label={drawing.messages.row(row.row.label)}
      >
        {row.row.label}
      </div>
      {row.places.map((place) => (
        <Seat
          key={place.seat.seatId}
          drawing={drawing}
          place={place}
          role="gridcell"
          tabStop={place.seat.seatId === stop}
        />
      ))}
    </div>
  );
});
