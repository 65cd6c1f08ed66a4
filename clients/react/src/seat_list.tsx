// The hall as a list: sections, rows, seats as checkboxes, with the names that the map's have. A
// row is one tab stop, so that a large hall is left in as many steps as it has rows.

import { memo, useState } from 'react';
import type { Hall } from './layout.js';
import { type Drawing, Seat, seatIdOf } from './seat.js';
import { handleKey } from './seat_keys.js';

interface SeatListProps {
  readonly drawing: Drawing;
  readonly hall: Hall;
}

export const SeatList = /* @__PURE__ */ memo(function SeatList({ drawing, hall }: SeatListProps) {
  const { selection, messages } = drawing;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has borders and layout of its own.
    <div
      role="group"
      className="sl-list"
      aria-label={hall.layout.name}
      onClick={(event) => {
        const seatId = seatIdOf(event.target);
        if (seatId !== undefined) selection.toggle(seatId);
      }}
      onKeyDown={(event) => handleKey(event, hall, selection)}
    >
      {hall.layout.sections.map((section) => (
        // biome-ignore lint/a11y/useSemanticElements: as above.
        <div key={section.id} role="group" aria-label={section.name}>
          <div className="sl-section-name" aria-hidden="true">
            {section.name}
          </div>
          {hall.rows.map((row) =>
            row.sectionId === section.id ? (
              <ListRow
                key={row.key}
                drawing={drawing}
                label={messages.row(row.row.label)}
                places={row.places}
              />
            ) : null,
          )}
        </div>
      ))}
    </div>
  );
});

interface ListRowProps {
  readonly drawing: Drawing;
  readonly label: string;
  readonly places: Hall['rows'][number]['places'];
}

const ListRow = /* @__PURE__ */ memo(function ListRow({ drawing, label, places }: ListRowProps) {
  const [lastFocused, setLastFocused] = useState<string>();
  const stop = places.find(({ seat }) => seat.seatId === lastFocused) ?? places[0];
  return (
    // biome-ignore lint/a11y/useSemanticElements: as above.
    <div
      role="group"
      className="sl-list-row"
      aria-label={label}
      onFocus={(event) => setLastFocused(seatIdOf(event.target))}
    >
      <div className="sl-list-label" aria-hidden="true">
        {label}
      </div>
      {places.map((place) => (
        <Seat
          key={place.seat.seatId}
          drawing={drawing}
          place={place}
          role="checkbox"
          tabStop={place === stop}
        />
      ))}
    </div>
  );
});
