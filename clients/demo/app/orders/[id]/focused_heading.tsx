'use client';
// A heading that has the focus when its page appears: the form that led here is gone, and whoever
// reads with the keyboard or by ear goes on from the news.

import { type ReactNode, useEffect, useRef } from 'react';

export function FocusedHeading({ children }: { children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
