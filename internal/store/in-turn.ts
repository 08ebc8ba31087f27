/** The stores of several programs on one database, as one whose calls go to them in turn: for suites. */
export function inTurn<T extends object>(stores: readonly T[]): T {
  let calls = 0;
  return new Proxy({} as T, {
    get(_, name) {
      return (...args: unknown[]) => {
        const store = stores[calls++ % stores.length] as Record<PropertyKey, (...args: unknown[]) => unknown>;
        return store[name]?.(...args);
      };
    },
  });
}
