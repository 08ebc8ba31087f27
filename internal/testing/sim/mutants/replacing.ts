/** Any method, before it is known which. */
export type Method = (...values: never[]) => unknown;

/** The same object with another method in the place of one. */
export function replacing<T extends object>(target: T, name: keyof T, replace: (own: Method) => Method): T {
  const own = (target[name] as Method).bind(target);
  const method = replace(own);
  return new Proxy(target, {
    get(whole, key) {
      if (key === name) return method;
      const value: unknown = Reflect.get(whole, key, whole);
      return typeof value === "function" ? value.bind(whole) : value;
    },
  });
}
