import { once } from "node:events";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
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

/**
 * Ports for the servers of a folder: those that an earlier start chose, as far as they are free, so that who knows an
 * address finds it again. They are kept in its `ports.json`. The folder is made if missing.
 */
export async function keptPorts<Name extends string>(
  folder: string,
  names: readonly Name[],
): Promise<Readonly<Record<Name, number>>> {
  const file = join(folder, "ports.json");
  const kept: Partial<Record<Name, number>> = await readFile(file, "utf8").then(JSON.parse, () => ({}));
  const chosen: [Name, number][] = [];
  for (const name of names) {
    const earlier = kept[name];
    if (earlier !== undefined) given.add(earlier);
    chosen.push([name, earlier !== undefined && (await isFree(earlier)) ? earlier : await freePort()]);
  }
  const ports = Object.fromEntries(chosen) as Record<Name, number>;
  await mkdir(folder, { recursive: true });
  await writeFile(`${file}.part`, `${JSON.stringify(ports, undefined, 2)}\n`);
  await rename(`${file}.part`, file);
  return ports;
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
