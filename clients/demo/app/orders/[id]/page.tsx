// The confirmation of an order, for the shopper who made it alone.

import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { money, showing } from '@/lib/catalogue';
import { db } from '@/lib/db';
import { type Order, orderOf, orderSeats, settle } from '@/lib/orders';
import { type Query, shopper } from '@/lib/shopper';
import { SiteHeader } from '../../site_header';
import { FocusedHeading } from './focused_heading';

export const metadata: Metadata = { title: 'Your order' };

interface Props {
  params: Promise<{ id: string }>;
  searchParams: Query;
}

export default async function OrderPage({ params, searchParams }: Props) {
  const { sessionId, as, link } = await shopper(searchParams);
  const known = orderOf(db(), (await params).id, sessionId);
  if (known === undefined) {
    notFound();
  }
  const order = await settled(known);
  const show = showing(db(), order.showtimeId);
  return (
    <>
      <SiteHeader as={as} home={link('/')} />
      <FocusedHeading>{HEADINGS[order.state]}</FocusedHeading>
      <p>
        {show?.film}, {show?.starts}, {show?.hall}
      </p>
      {order.state === 'refused' ? null : <Tickets order={order} />}
      <p className="quiet">Order {order.id}</p>
      <p>
        <Link href={link(`/showtimes/${order.showtimeId}`)}>Back to the seats</Link>
      </p>
    </>
  );
}

const HEADINGS = {
  booked: 'Your seats are booked',
  pending: 'Your order is not confirmed yet',
  refused: 'Your order was refused: nothing was bought',
} as const;

function Tickets({ order }: { order: Order }) {
  const seats = orderSeats(db(), order.id);
  const total = seats.reduce((sum, { cents }) => sum + cents, 0);
  return (
    <table>
      <caption>
        {/* A name may read from right to left, or say that it does. */}
        Tickets of <bdi>{order.name}</bdi>
      </caption>
      <thead>
        <tr>
          <th scope="col">Seat</th>
          <th scope="col">Price</th>
        </tr>
      </thead>
      <tbody>
        {seats.map(({ seatId, row, number, cents }) => (
          <tr key={seatId}>
            <th scope="row">
              Row {row}, seat {number}
            </th>
            <td>{money(cents)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Total</th>
          <td>{money(total)}</td>
        </tr>
      </tfoot>
    </table>
  );
}

/** As it is known here, where the seat service does not answer. */
async function settled(order: Order): Promise<Order> {
  try {
    return await settle(db(), order);
  } catch (error) {
    console.error(`order ${order.id} is not settled: ${String(error)}`);
    return order;
  }
}
