import { randomUUID } from "node:crypto";

const HARMLESS = /^[A-Za-z0-9._-]{8,64}$/;

/** The id of a call in logs and errors: what the client (or a proxy) gave if it is harmless text, else a new one. */
export function requestIdFrom(given: string | undefined): string {
  return given !== undefined && HARMLESS.test(given) ? given : newRequestId();
}

/** 64 random bits in hex. Of a UUID, because Node draws those in stock: asked one by one, they took 10 µs. */
function newRequestId(): string {
  const uuid = randomUUID();
  return uuid.slice(0, 8) + uuid.slice(-8);
}
