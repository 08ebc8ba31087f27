import { spawn } from "node:child_process";
import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgres } from "../../engines/postgres/postgres.ts";

/** A server of this test run, on a Unix socket. */
export interface PostgresServer {
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
}

let running: Promise<PostgresServer> | undefined;

/**
 * The one Postgres of this run, started by the first who asks (about 1 s). It ends with this process, however that ends,
 * and its data with it. Nothing of it is synced: what a power cut does is not what these tests try.
 */
export function postgresServer(): Promise<PostgresServer> {
  running ??= ownPostgres();
  return running;
}

/** A server of its own, for tests that copy, promote or stop one. */
export interface OwnPostgres extends PostgresServer {
  /** The folder of its files. */
  readonly data: string;
  /** Its address on this machine, where every role needs its password. */
  readonly tcp: { readonly host: string; readonly port: number };
  /** Stops it as an administrator does who is in a hurry, and keeps its data. */
  pause(): Promise<void>;
  /** Starts it again on its data, at the same addresses. */
  resume(): Promise<void>;
  /** Ends it, and its data with it. A second time does nothing. */
  stop(): Promise<void>;
}

const QUICK = { fsync: "off", full_page_writes: "off", max_connections: 100, autovacuum: "off" };

/** Starts another server, on new data or on what `fill` puts into its folder. */
export async function ownPostgres(fill?: (data: string) => Promise<void>): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-postgres-"));
  await chmod(folder, 0o711); // Postgres's user passes.
  const remove = removedLater(folder);
  const server = await postgres.start({ folder, settings: QUICK, ...(fill && { fill }) });
  const { data, tcp, socket, superuser } = server;
  return {
    database: { host: socket, port: tcp.port, user: superuser, database: "postgres" },
    data,
    tcp,
    pause: () => server.stop(),
    resume: () => server.restart("postgres"),
    async stop() {
      await server.stop();
      await remove();
    },
  };
}

/**
 * Removes the folder when its input ends, which happens even when this process is killed. The server ends then too, and
 * writes until it has: at most 10 s.
 */
const REMOVE = `cat >/dev/null; tries=0
while [ -e "$1/owned/data/postmaster.pid" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
rm -rf "$1"`;

function removedLater(folder: string): () => Promise<void> {
  const shell = spawn("/bin/sh", ["-c", REMOVE, "sh", folder], {
    detached: true, // Ctrl-C reaches the tests, which end it in order.
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = new Promise<void>((resolve) => {
    shell.once("exit", () => resolve());
  });
  for (const handle of [shell, shell.stdin]) (handle as { unref?(): void }).unref?.();
  return async () => {
    shell.ref();
    shell.stdin.end();
    await ended;
  };
}
