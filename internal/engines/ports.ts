import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { EngineError } from "./engine.ts";

const LOWEST = 10_000;
/** Where Linux begins to number the sockets of clients, if it does not say. */
const USUAL_START = 32_768;
const TRIES = 1_000;

/** Two engines that start at once in one process never get the same. */
const given = new Set<number>();

/**
 * Ports of 127.0.0.1 that nobody listens on. They lie below those that the system gives to clients' sockets, so that while
 * a server is away no connection of another takes its port. Another process may still take one before it is used.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const end = await startOfClients();
  const found: number[] = [];
  for (let tries = 0; found.length < count; tries += 1) {
    if (tries === TRIES * count) throw new EngineError(`no ${count} ports are free below ${end}`);
    const port = LOWEST + Math.floor(Math.random() * (end - LOWEST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    found.push(port);
  }
  return found;
}

/** One of them. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** Whether a server may listen there. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port === port;
  } catch {
    return false;
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

async function startOfClients(): Promise<number> {
  const range = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8").catch(() => "");
  const start = Number(range.split(/\s+/)[0]) || USUAL_START;
  return start > LOWEST + TRIES ? start : 65_536;
}
