// A showtime or an order that is not there, or not this shopper's.

import Link from 'next/link';

export default function NotFound() {
  return (
    <>
      <h1>Nothing here</h1>
      <p>There is no such page, or it is not yours to see.</p>
      <p>
        <Link href="/">All films</Link>
      </p>
    </>
  );
}
