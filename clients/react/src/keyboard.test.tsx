// The map and the list by keyboard: one tab stop, arrows by place, toggling, zoom, list mode.

import { act, fireEvent, screen, within } from '@testing-library/react';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { becomes, cell, fakeServer, live, show } from './testing/page.js';

const server = fakeServer();

function press(key: string, init: { ctrlKey?: boolean } = {}): void {
  const target = document.activeElement ?? document.body;
  fireEvent.keyDown(target, { key, ...init });
}

const focused = () => document.activeElement?.getAttribute('data-seat-id');
const tabStops = () =>
  [...document.querySelectorAll('[role=gridcell][tabindex="0"]')].map((el) =>
    el.getAttribute('data-seat-id'),
  );

describe('TheMap', () => {
  beforeEach(async () => {
    server().lock('123', ['A02'], 'other');
    show();
    await live();
    await becomes('A02', 'locked');
    act(() => cell('A01').focus());
  });

  test('HasOneTabStopWhichFollowsTheFocus', () => {
    expect(tabStops()).toEqual(['A01']);
    press('ArrowRight');
    expect(focused()).toBe('A02');
    expect(tabStops()).toEqual(['A02']);
    act(() => cell('B03').focus());
    expect(tabStops()).toEqual(['B03']);
  });

  // The columns are those that testing/hall.ts draws.
  test.each([
    ['A01', 'ArrowLeft', 'A01'],
    ['A06', 'ArrowRight', 'A06'],
    ['A02', 'ArrowRight', 'A03'],
    ['A02', 'ArrowDown', 'B01'],
    ['A04', 'ArrowDown', 'B03'],
    ['A06', 'ArrowDown', 'B04'],
    ['B01', 'ArrowUp', 'A02'],
    ['B03', 'ArrowUp', 'A04'],
    ['B02', 'ArrowDown', 'C02'],
    ['B04', 'ArrowDown', 'C03'],
    ['C01', 'ArrowUp', 'B01'],
    ['C01', 'ArrowDown', 'C01'],
    ['A01', 'ArrowUp', 'A01'],
    ['A04', 'Home', 'A01'],
    ['A02', 'End', 'A06'],
  ])('From %s %s leads to %s', (from, key, to) => {
    act(() => cell(from).focus());
    press(key);
    expect(focused()).toBe(to);
  });

  test('CtrlHomeAndCtrlEndLeadToTheEndsOfTheHall', () => {
    press('End', { ctrlKey: true });
    expect(focused()).toBe('C03');
    press('Home', { ctrlKey: true });
    expect(focused()).toBe('A01');
  });

  test('IsMirroredWhereTextRunsFromRightToLeft', () => {
    document.body.style.direction = 'rtl';
    press('ArrowLeft');
    expect(focused()).toBe('A02');
    document.body.style.direction = '';
  });

  test.each([' ', 'Enter'])('"%s" toggles', async (key) => {
    act(() => cell('A03').focus());
    press(key);
    await becomes('A03', 'selected');
    press(key);
    await becomes('A03', 'available');
  });

  test('AKeyHeldDownTogglesOnce', async () => {
    act(() => cell('A03').focus());
    press(' ');
    fireEvent.keyDown(cell('A03'), { key: ' ', repeat: true });
    await becomes('A03', 'selected');
    expect(server().calls.filter((call) => call.method === 'POST').length).toBe(1);
  });

  test('ReachesTakenSeatsAndSaysWhy', () => {
    press('ArrowRight');
    expect(cell('A02').getAttribute('aria-disabled')).toBe('true');
    press(' ');
    expect(screen.getByRole('alert').textContent).toContain('Row A, seat 2 is taken');
  });

  test('KeepsTheFocusThroughUpdates', async () => {
    act(() => cell('A05').focus());
    act(() => server().lock('123', ['A05'], 'other'));
    await becomes('A05', 'locked');
    expect(focused()).toBe('A05');
    act(() => server().closeAll(4200));
    await live();
    expect(focused()).toBe('A05');
  });

  test('LeavesOtherKeysToTheBrowser', () => {
    const kept = (key: string) => fireEvent.keyDown(cell('A01'), { key });
    expect(kept('Tab')).toBe(true);
    expect(kept('x')).toBe(true);
    expect(kept('ArrowDown')).toBe(false);
  });

  test('ZoomsBetween24And48Pixels', () => {
    const size = () => {
      const map = document.querySelector('.sl-map');
      return map instanceof HTMLElement ? map.style.getPropertyValue('--sl-size') : '';
    };
    const zoomIn = screen.getByRole('button', { name: 'Zoom in' });
    const zoomOut = screen.getByRole('button', { name: 'Zoom out' });
    for (let i = 0; i < 9; i++) fireEvent.click(zoomIn);
    expect(size()).toBe('48px');
    expect(zoomIn.getAttribute('aria-disabled')).toBe('true');
    for (let i = 0; i < 9; i++) fireEvent.click(zoomOut);
    expect(size()).toBe('24px');
    expect(zoomOut.getAttribute('aria-disabled')).toBe('true');
  });
});

describe('TheList', () => {
  test('HasTheSameNamesAndTakenSeatsStayReachable', async () => {
    server().lock('123', ['A02'], 'other');
    show();
    await becomes('A02', 'locked');
    fireEvent.click(screen.getByRole('button', { name: 'List' }));
    const row = within(screen.getByRole('group', { name: 'Row A' }));
    const taken = row.getByRole('checkbox', { name: 'Row A, seat 2, €12.00, taken' });
    expect(taken.getAttribute('aria-disabled')).toBe('true');
    act(() => cell('A01').focus());
    press('ArrowRight');
    expect(document.activeElement).toBe(taken);
    press(' ');
    expect(screen.getByRole('alert').textContent).toContain('Row A, seat 2 is taken');
    const free = row.getByRole('checkbox', { name: 'Row A, seat 3, €12.00, available' });
    act(() => free.focus());
    press('Enter');
    await becomes('A03', 'selected');
    expect(cell('A03').getAttribute('aria-checked')).toBe('true');
    fireEvent.click(cell('A03'));
    await becomes('A03', 'available');
    fireEvent.click(screen.getByRole('button', { name: 'Map' }));
    expect(screen.getByRole('grid')).toBeTruthy();
  });

  test('HasOneTabStopARowWhichIsWhereTheShopperWasLast', async () => {
    const stops = () =>
      screen
        .getAllByRole('checkbox')
        .filter((seat) => seat.tabIndex === 0)
        .map((seat) => seat.dataset.seatId);
    show({ mode: 'list' });
    await live();
    expect(stops()).toEqual(['A01', 'B01', 'C01']);
    act(() => cell('A01').focus());
    press('End');
    press('ArrowDown');
    press('ArrowLeft');
    expect(document.activeElement).toBe(cell('B03'));
    expect(stops()).toEqual(['A06', 'B03', 'C01']);
  });

  test('IsWhereTheShopperBeginsIfAskedFor', async () => {
    const onSeatTaken = vi.fn();
    show({ mode: 'list', onSeatTaken });
    await live();
    expect(screen.queryByRole('grid')).toBeNull();
    expect(screen.getAllByRole('checkbox').length).toBe(13);
    expect(screen.getByRole('group', { name: 'Balcony' })).toBeTruthy();
  });
});
