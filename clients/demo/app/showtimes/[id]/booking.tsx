'use client';
// The seats and the form that buys them.

import { type InitialSnapshot, type OwnSeat, showtime } from '@seatlock/client';
import {
  type HallLayout,
  SeatSelection,
  type SeatSelectionProps,
  useConnection,
  useShowtime,
} from '@seatlock/react';
import { useRouter } from 'next/navigation';
import { type FormEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { fetchToken } from './fetch_token';
import { Purchase } from './purchase';

interface Props {
  readonly showtimeId: string;
  readonly layout: HallLayout;
  readonly sessionId: string;
  /** NAME of `?as=NAME`: this page's calls are made as NAME too. */
  readonly as: string | null;
  readonly maxSeats: number;
  readonly url: string | undefined;
  /** The edge wants tokens of this site. */
  readonly tokens: boolean;
  /** undefined: the seat service did not answer when the page was made. */
  readonly initialSnapshot: InitialSnapshot | undefined;
}

export function Booking(props: Props) {
  const { showtimeId, layout, as, initialSnapshot, url, sessionId } = props;
  const query = as === null ? '' : `?as=${as}`;
  const token = props.tokens ? () => fetchToken(query) : undefined;
  const [seats, setSeats] = useState<readonly OwnSeat[]>(initialSnapshot?.yourSeats ?? []);
  // "Back" shows a page as it was made; what the browser heard since is newer. The seats follow the
  // showtime; here it is only looked at.
  useEffect(() => {
    const options = { sessionId, ...(url === undefined ? {} : { url }) };
    setSeats(showtime(showtimeId, options).ownSeats());
  }, [showtimeId, url, sessionId]);
  return (
    <>
      {initialSnapshot === undefined ? <Away {...props} token={token} /> : null}
      <section aria-labelledby="seats">
        <h2 id="seats">Choose seats</h2>
        <SeatSelection
          showtimeId={showtimeId}
          layout={layout}
          sessionId={sessionId}
          apiUrl={`/api/seat-locks${query}`}
          maxSeats={props.maxSeats}
          token={token}
          onSelectionChange={setSeats}
          {...(url === undefined ? {} : { url })}
          {...(initialSnapshot === undefined ? {} : { initialSnapshot })}
        />
      </section>
      <BuyForm showtimeId={showtimeId} layout={layout} query={query} seats={seats} />
    </>
  );
}

/** Until the first connection: the page shares the one that the seats have. */
function Away({ showtimeId, url, sessionId, token }: Props & Pick<SeatSelectionProps, 'token'>) {
  const { status } = useConnection(useShowtime(showtimeId, { url, sessionId, token }));
  if (status === 'live') {
    return null;
  }
  return (
    <p className="notice">
      The seat service is away for the moment. Seats appear here as soon as it is back; nothing is
      lost.
    </p>
  );
}

interface BuyFormProps {
  readonly showtimeId: string;
  readonly layout: HallLayout;
  readonly query: string;
  readonly seats: readonly OwnSeat[];
}

function BuyForm({ showtimeId, layout, query, seats }: BuyFormProps) {
  const nameId = useId();
  const router = useRouter();
  const purchase = useRef(new Purchase(`/api/orders${query}`));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const price = useTotal(layout, seats);

  async function buy(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    // The button stays a button while it works: a disabled one would lose the keyboard's focus.
    if (busy) {
      return;
    }
    const name = String(new FormData(event.currentTarget).get('name') ?? '');
    setBusy(true);
    setProblem(null);
    const seatIds = seats.map(({ seatId }) => seatId);
    const result = await purchase.current.buy({ showtimeId, seatIds, name });
    if (result.orderId === undefined) {
      setProblem(result.problem);
      setBusy(false);
      return;
    }
    router.push(`/orders/${result.orderId}${query}`);
  }

  return (
    <section aria-labelledby="tickets">
      <h2 id="tickets">Buy tickets</h2>
      <form className="buy" onSubmit={buy}>
        <label htmlFor={nameId}>Name on the tickets</label>
        <input id={nameId} name="name" required maxLength={100} autoComplete="name" />
        <button type="submit" aria-disabled={busy}>
          {busy ? 'Buying…' : label(seats.length, price)}
        </button>
        {problem === null ? null : (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
      </form>
    </section>
  );
}

function label(count: number, price: string): string {
  return count === 0 ? 'Buy' : `Buy ${count} ${count === 1 ? 'seat' : 'seats'} for ${price}`;
}

function useTotal(layout: HallLayout, seats: readonly OwnSeat[]): string {
  const prices = useMemo(() => priceTable(layout), [layout]);
  const cents = seats.reduce((sum, { seatId }) => sum + (prices.get(seatId) ?? 0), 0);
  const { locale, currency } = layout;
  return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(cents / 100);
}

function priceTable(layout: HallLayout): Map<string, number> {
  const categories = new Map(layout.categories.map(({ id, price }) => [id, price]));
  const seats = layout.sections.flatMap(({ rows }) => rows.flatMap((row) => row.seats));
  return new Map(seats.map(({ seatId, category }) => [seatId, categories.get(category) ?? 0]));
}
