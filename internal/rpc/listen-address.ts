import { hostPort } from "../base/host-port.ts";

/** Where a listener binds, as `host:port`. Port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** As it was given. */
  readonly text: string;
}

/** Parses `127.0.0.1:8440`, `localhost:0`, `[::1]:8440`. Undefined if it is no such thing. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host !== undefined && port <= 65_535 ? { host, port, text } : undefined;
}

/** Whether only this machine can reach the address. */
export function isLoopback(address: ListenAddress): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(address.host);
}

/** The URL of a listener on this machine, with the port that was chosen. */
export function localUrl(address: ListenAddress, port: number): string {
  const anywhere = address.host === "0.0.0.0" || address.host === "::";
  return `http://${hostPort(anywhere ? "127.0.0.1" : address.host, port)}`;
}

/** A listener could not bind. The message is one sentence that says what to do. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** Explains why an address could not be bound. */
export function listenError(address: ListenAddress, cause: Error): ListenError {
  const text = `${(cause as NodeJS.ErrnoException).code ?? ""} ${cause.message}`;
  if (/EADDRINUSE/.test(text)) {
    return new ListenError(`${address.text} is taken by another program: stop it or choose another port`, {
      cause,
    });
  }
  if (/EACCES/.test(text)) {
    return new ListenError(`${address.text} may not be bound by this user: choose a port above 1023`, {
      cause,
    });
  }
  if (/ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL|Name resolution/i.test(text)) {
    return new ListenError(`${address.host} is no address of this machine: use 127.0.0.1 or 0.0.0.0`, {
      cause,
    });
  }
  return new ListenError(`${address.text} cannot be bound: ${cause.message}`, { cause });
}
