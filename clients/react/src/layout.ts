// The hall that SeatSelection draws, and where each seat stands in it. Places are counted in seat
// widths, aisles and gaps included, so that "up" means the seat above and not the same index.

/** A hall, fed to `SeatSelection`. Plain data: it may come from JSON. */
export interface HallLayout {
  /** Names the grid, e.g. the hall's and the film's. */
  readonly name: string;
  /** BCP 47, e.g. `de-DE`: how prices are written. */
  readonly locale: string;
  /** ISO 4217, e.g. `EUR`. */
  readonly currency: string;
  readonly categories: readonly Category[];
  readonly sections: readonly Section[];
}

/** What a seat costs. */
export interface Category {
  readonly id: string;
  readonly name: string;
  /** In the currency's minor units: 1250 is €12.50, and ¥1250. */
  readonly price: number;
  /** Any CSS colour. A hint beside the words: nothing is told by it alone. */
  readonly color?: string;
}

/** A part of the hall, e.g. stalls or balcony. */
export interface Section {
  readonly id: string;
  readonly name: string;
  readonly rows: readonly Row[];
}

/** A row, from left to right. */
export interface Row {
  readonly label: string;
  readonly seats: readonly LayoutSeat[];
}

/** A seat. `seatId` is the service's, and unique in the hall. */
export interface LayoutSeat {
  readonly seatId: string;
  /** What stands on the seat. */
  readonly number: string;
  /** A `Category.id`. */
  readonly category: string;
  /** An aisle of one seat's width follows. */
  readonly aisleAfter?: boolean;
  /** Empty places before the seat. */
  readonly gapBefore?: number;
}

/** A seat with its place: the row's index over all sections, and the column in seat widths. */
export interface Place {
  readonly seat: LayoutSeat;
  readonly label: string;
  /** In minor units; 0 where the category is not in the layout. */
  readonly price: number;
  /** The price as the locale writes it. */
  readonly priceText: string;
  readonly color: string | undefined;
  readonly rowIndex: number;
  readonly index: number;
  readonly column: number;
}

/** A row with its places. */
export interface HallRow {
  /** Tells rows apart: labels come again in other sections. */
  readonly key: string;
  readonly row: Row;
  readonly sectionId: string;
  readonly places: readonly Place[];
}

/** A layout made ready to draw. */
export interface Hall {
  readonly layout: HallLayout;
  readonly rows: readonly HallRow[];
  readonly places: ReadonlyMap<string, Place>;
  /** Characters of the longest row label: columns line up behind it. */
  readonly labelLength: number;
  /** An amount of minor units, as the locale writes it. */
  readonly money: (minorUnits: number) => string;
}

/** Names a seat: `section` is given where several sections have a row of the same label. */
export type SeatNamer = (row: string, number: string, section?: string) => string;

/** Reads a layout. A seat id that stands in it twice is an error: two places would act as one. */
export function readLayout(layout: HallLayout, nameSeat: SeatNamer): Hall {
  const money = moneyWriter(layout.locale, layout.currency);
  const categories = new Map(layout.categories.map((c) => [c.id, c]));
  const repeated = repeatedLabels(layout);
  const places = new Map<string, Place>();
  const rows: HallRow[] = [];
  for (const section of layout.sections) {
    for (const row of section.rows) {
      let column = 0;
      const placed = row.seats.map((seat, index): Place => {
        if (places.has(seat.seatId)) throw new Error(`the layout has seat ${seat.seatId} twice`);
        const category = categories.get(seat.category);
        const price = category?.price ?? 0;
        column += seat.gapBefore ?? 0;
        const place: Place = {
          seat,
          label: nameSeat(
            row.label,
            seat.number,
            repeated.has(row.label) ? section.name : undefined,
          ),
          price,
          priceText: money(price),
          color: category?.color,
          rowIndex: rows.length,
          index,
          column,
        };
        column += seat.aisleAfter ? 2 : 1;
        places.set(seat.seatId, place);
        return place;
      });
      if (placed.length > 0)
        rows.push({ key: `${rows.length}`, row, sectionId: section.id, places: placed });
    }
  }
  const labelLength = Math.max(0, ...rows.map(({ row }) => row.label.length));
  return { layout, rows, places, labelLength, money };
}

function repeatedLabels(layout: HallLayout): Set<string> {
  const labels = layout.sections.flatMap((s) => s.rows.map((r) => r.label));
  return new Set(labels.filter((label, i) => labels.indexOf(label) !== i));
}

/** Writes minor units of a currency: how many digits they are is the currency's matter. */
function moneyWriter(locale: string, currency: string): (minorUnits: number) => string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  const scale = 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2);
  return (minorUnits) => format.format(minorUnits / scale);
}

/** Where a key leads from a place; undefined: nowhere, or the key is none of the grid's. */
export function placeAfterKey(
  hall: Hall,
  from: Place,
  key: string,
  ctrl: boolean,
): Place | undefined {
  const row = hall.rows[from.rowIndex];
  switch (key) {
    case 'ArrowLeft':
      return row?.places[from.index - 1];
    case 'ArrowRight':
      return row?.places[from.index + 1];
    case 'ArrowUp':
      return nearest(hall.rows[from.rowIndex - 1], from.column);
    case 'ArrowDown':
      return nearest(hall.rows[from.rowIndex + 1], from.column);
    case 'Home':
      return (ctrl ? hall.rows[0] : row)?.places[0];
    case 'End':
      return (ctrl ? hall.rows.at(-1) : row)?.places.at(-1);
    default:
      return undefined;
  }
}

function nearest(row: HallRow | undefined, column: number): Place | undefined {
  let best = row?.places[0];
  for (const place of row?.places ?? []) {
    if (best && Math.abs(place.column - column) < Math.abs(best.column - column)) best = place;
  }
  return best;
}
