// The top of each page: the way home, and who is shopping where a demo has several.

import Link from 'next/link';

export function SiteHeader({ as, home }: { as: string | null; home: string }) {
  return (
    <div className="site-header">
      <nav aria-label="Site">
        <Link href={home}>Lantern Cinema</Link>
      </nav>
      {as === null ? null : <p className="quiet">Shopping as {as}</p>}
    </div>
  );
}
