'use client';
// What is shown where a page could not be made. Why is in the server's log, not here.

import Link from 'next/link';

export default function Failed({ reset }: { reset: () => void }) {
  return (
    <div role="alert">
      <h1>That did not work</h1>
      <p>
        The page could not be shown. Seats that you hold are still yours until their time is up.
      </p>
      <p>
        <button type="button" onClick={reset}>
          Try again
        </button>{' '}
        <Link href="/">All films</Link>
      </p>
    </div>
  );
}
