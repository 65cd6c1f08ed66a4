// Listeners are independent of each other.

import { afterEach, expect, test, vi } from 'vitest';
import { listeners } from './listeners.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('OneThatThrowsIsReportedAndHarmsNoOther', () => {
  const reported = vi.fn();
  vi.stubGlobal('reportError', reported);
  const all = listeners<number>();
  const heard: number[] = [];
  const fault = new Error('of the page');
  all.add(() => {
    throw fault;
  });
  all.add((value) => heard.push(value));
  all.call(7);
  expect(heard).toEqual([7]);
  expect(reported).toHaveBeenCalledExactlyOnceWith(fault);
});

test('WithoutReportErrorTheConsoleHasIt', () => {
  vi.stubGlobal('reportError', undefined);
  const logged = vi.spyOn(console, 'error').mockReturnValue();
  const all = listeners();
  all.add(() => {
    throw new Error('of the page');
  });
  all.call();
  expect(logged).toHaveBeenCalledOnce();
});

test('TheSameFunctionTwiceEndsTwice', () => {
  const all = listeners();
  const listener = vi.fn();
  const end = all.add(listener);
  all.add(listener);
  end();
  end();
  all.call();
  expect(listener).toHaveBeenCalledOnce();
  expect(all.empty()).toBe(false);
});

test('OneThatIsAddedMeanwhileHearsTheNextCall', () => {
  const all = listeners();
  const late = vi.fn();
  const end = all.add(() => all.add(late));
  all.call();
  expect(late).not.toHaveBeenCalled();
  end();
  all.call();
  expect(late).toHaveBeenCalledOnce();
});
