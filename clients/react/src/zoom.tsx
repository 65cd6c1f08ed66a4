// The size of the map's seats: never below 24 px, which is the smallest target for a finger. The
// middle of what is seen stays in the middle.

import { type CSSProperties, type RefObject, useEffect, useRef, useState } from 'react';
import type { Messages } from './messages.js';

const SIZES_PX = [24, 30, 36, 42, 48];
const FIRST = 1;

/** A map's zoom: what to put on its scrolling region, and the steps. */
export interface Zoom {
  readonly region: RefObject<HTMLDivElement | null>;
  readonly style: CSSProperties;
  /** Steps that are left: in, out. */
  readonly canZoom: (by: 1 | -1) => boolean;
  readonly zoomBy: (by: 1 | -1) => void;
}

export function useZoom(): Zoom {
  const region = useRef<HTMLDivElement>(null);
  const [step, setStep] = useState(FIRST);
  const size = SIZES_PX[step] ?? 24;
  const middle = useRef<{ x: number; y: number } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the size is what moves the middle.
  useEffect(() => {
    const el = region.current;
    if (!el || !middle.current) return;
    el.scrollLeft = middle.current.x * el.scrollWidth - el.clientWidth / 2;
    el.scrollTop = middle.current.y * el.scrollHeight - el.clientHeight / 2;
  }, [size]);
  const canZoom = (by: 1 | -1) => SIZES_PX[step + by] !== undefined;
  const style: CSSProperties & { '--sl-size': string } = { '--sl-size': `${size}px` };
  const zoomBy = (by: 1 | -1) => {
    const el = region.current;
    if (!el || !canZoom(by)) return;
    middle.current = {
      x: (el.scrollLeft + el.clientWidth / 2) / el.scrollWidth,
      y: (el.scrollTop + el.clientHeight / 2) / el.scrollHeight,
    };
    setStep(step + by);
  };
  return { region, style, canZoom, zoomBy };
}

interface ZoomButtonsProps {
  readonly zoom: Zoom;
  readonly messages: Messages;
}

export function ZoomButtons({ zoom, messages }: ZoomButtonsProps) {
  const button = (by: 1 | -1, name: string, sign: string) => (
    <button
      type="button"
      aria-label={name}
      // Not `disabled`, which would take the focus away.
      aria-disabled={!zoom.canZoom(by)}
      onClick={() => zoom.zoomBy(by)}
    >
      {sign}
    </button>
  );
  return (
    <>
      {button(-1, messages.zoomOut, '−')}
      {button(1, messages.zoomIn, '+')}
    </>
  );
}
