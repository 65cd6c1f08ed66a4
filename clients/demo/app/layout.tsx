// What every page stands in.

import type { Metadata } from 'next';
import { connection } from 'next/server';
import type { ReactNode } from 'react';
import '@seatlock/react/styles.css';
import './globals.css';

export const metadata: Metadata = {
  title: { default: 'Lantern Cinema', template: '%s – Lantern Cinema' },
  description: 'Silent films, and seats that are yours when you see them so.',
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  // Pages are of one shopper and carry a fresh nonce, so none is made at build time.
  await connection();
  return (
    <html lang="en">
      <body>
        <a className="skip" href="#main">
          Skip to content
        </a>
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </body>
    </html>
  );
}
