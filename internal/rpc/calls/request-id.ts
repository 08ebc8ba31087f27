import { randomBytes } from "node:crypto";

const HARMLESS = /^[A-Za-z0-9._-]{8,64}$/;

/** The id of a call in logs and errors: what the client (or a proxy) gave if it is harmless text, else a new one. */
export function requestIdFrom(given: string | undefined): string {
  return given !== undefined && HARMLESS.test(given) ? given : randomBytes(8).toString("hex");
}
