import { Code, ErrorReason, HeddleError, overloaded, storeUnavailable } from "../base/heddle-error.ts";

/** How long a client should wait when every push server is full, in milliseconds. */
const FULL_RETRY_MS = 5_000;

/**
 * The push server with the most room. Throws UNAVAILABLE / STORE_UNAVAILABLE (`registry`) when none is registered,
 * RESOURCE_EXHAUSTED / OVERLOADED (`sessions`) when all are full.
 */
export function allot<S extends { readonly load: number; readonly capacity: number }>(
  servers: readonly S[],
): S {
  const room = (server: S) => server.capacity - server.load;
  const [first, ...others] = servers;
  if (!first) throw storeUnavailable("registry");
  const best = others.reduce((chosen, server) => (room(server) > room(chosen) ? server : chosen), first);
  if (room(best) <= 0) throw overloaded("sessions", FULL_RETRY_MS);
  return best;
}

/** FAILED_PRECONDITION / NO_SESSION: the client opens a new one. */
export function noSession(): HeddleError {
  const text = "no such session here: open a new one";
  return new HeddleError(Code.FAILED_PRECONDITION, ErrorReason.NO_SESSION, text);
}
