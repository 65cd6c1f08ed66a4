// One of a kind per process. Next loads a module once for each bundle (proxy, pages, routes) and
// again at each hot reload, so a plain module variable would make a second database, client or
// limiter; the process's own table of symbols does not.

/** What was made under `name`, made by `make` the first time. */
export function shared<T>(name: string, make: () => T): T {
  const key = Symbol.for(`seatlock-demo.${name}`);
  const known: unknown = Reflect.get(globalThis, key);
  if (known !== undefined) {
    return known as T;
  }
  const made = make();
  Reflect.set(globalThis, key, made);
  return made;
}
