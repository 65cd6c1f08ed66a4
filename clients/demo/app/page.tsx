// Films and their showtimes.

import Link from 'next/link';
import { type Showing, showings } from '@/lib/catalogue';
import { db } from '@/lib/db';
import { type Query, shopper } from '@/lib/shopper';
import { SiteHeader } from './site_header';

export default async function Films({ searchParams }: { searchParams: Query }) {
  const { as, link } = await shopper(searchParams);
  const films = byFilm(showings(db()));
  return (
    <>
      <SiteHeader as={as} home={link('/')} />
      <h1>Now showing</h1>
      <ul className="films">
        {films.map((shows) => (
          <Film key={shows[0].film} shows={shows} link={link} />
        ))}
      </ul>
    </>
  );
}

type Shows = [Showing, ...Showing[]];

function Film({ shows, link }: { shows: Shows; link: (path: string) => string }) {
  const { film, year, minutes, note } = shows[0];
  return (
    <li className="film">
      <h2>{film}</h2>
      <p className="quiet">
        {year} · {minutes} min
      </p>
      <p>{note}</p>
      <ul className="showings">
        {shows.map((show) => (
          <li key={show.id}>
            <Link className="button" href={link(`/showtimes/${show.id}`)}>
              {show.starts}, {show.hall}
              <span className="only-heard"> – choose seats for {film}</span>
            </Link>
          </li>
        ))}
      </ul>
    </li>
  );
}

function byFilm(shows: readonly Showing[]): Shows[] {
  const films = new Map<string, Shows>();
  for (const show of shows) {
    const known = films.get(show.film);
    if (known === undefined) {
      films.set(show.film, [show]);
    } else {
      known.push(show);
    }
  }
  return [...films.values()];
}
