// A showtime: its hall's seats as they are now, kept current by the edge from there on.

import type { Metadata } from 'next';
import { notFound } from 'next/navigation';
import { hallLayout, showing } from '@/lib/catalogue';
import { db } from '@/lib/db';
import { siteEnv } from '@/lib/env';
import { initialSnapshot } from '@/lib/seatlock';
import { type Query, shopper } from '@/lib/shopper';
import { SiteHeader } from '../../site_header';
import { Booking } from './booking';

interface Props {
  params: Promise<{ id: string }>;
  searchParams: Query;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const show = showing(db(), (await params).id);
  return { title: show === undefined ? 'Nothing here' : `${show.film}, ${show.starts}` };
}

export default async function Showtime({ params, searchParams }: Props) {
  const show = showing(db(), (await params).id);
  if (show === undefined) {
    notFound();
  }
  const { sessionId, as, link } = await shopper(searchParams);
  const snapshot = await initialSnapshot(show.id, sessionId);
  const { webSocketUrl, maxSeats, tokenKeys } = siteEnv();
  return (
    <>
      <SiteHeader as={as} home={link('/')} />
      <h1>{show.film}</h1>
      <p className="quiet">
        {show.starts}, {show.hall}
      </p>
      <Booking
        showtimeId={show.id}
        layout={hallLayout(db(), show)}
        sessionId={sessionId}
        as={as}
        maxSeats={maxSeats}
        url={webSocketUrl}
        tokens={tokenKeys !== undefined}
        initialSnapshot={snapshot ?? undefined}
      />
    </>
  );
}
