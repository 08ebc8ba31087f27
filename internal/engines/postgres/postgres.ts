import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeFolder } from "../../base/make-folder.ts";
import { Child } from "../child.ts";
import {
  type Engine,
  EngineError,
  type ProcessEnd,
  type RunningEngine,
  type StartOptions,
} from "../engine.ts";
import { freePort } from "../ports.ts";
import { untilSaid } from "../until.ts";
import { binariesFor, postgresBinaries } from "./binaries.ts";
import { ownedFolder } from "./place.ts";
import { giveTo, type PlainUser, plainUser } from "./plain-user.ts";

export interface PostgresOptions extends StartOptions {
  /** Of 127.0.0.1; free by default. */
  readonly port?: number;
  /** Of postgresql.conf, over Heddle's own. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Puts another server's data into the folder, in the place of new data: a standby's. */
  readonly fill?: (data: string) => Promise<void>;
}

export interface RunningPostgres extends RunningEngine {
  /** The folder of its files. */
  readonly data: string;
  /** 127.0.0.1, where every role needs its password. */
  readonly tcp: { readonly host: string; readonly port: number };
  /** The folder of its Unix socket, where every role is trusted; this user, root and Postgres's alone may enter. */
  readonly socket: string;
  /** A role that may do everything. */
  readonly superuser: string;
  /** The database `heddle` as its owner, the role `heddle`, with its password: what HEDDLE_DATABASE_URL takes. */
  readonly url: string;
}

/** As Debian's and npm's have it. */
const SUPERUSER = "postgres";
const NAME = "heddle";
const START_MS = 60_000;
const STOP_MS = 30_000;
/** The longest path of a Unix socket that Linux takes, without the name of the socket. */
const LONGEST_FOLDER = 107 - "/.s.PGSQL.65535".length;

/** Who reaches the socket's folder is trusted. */
const ACCESS = `local all all trust
local replication all trust
host all all 127.0.0.1/32 scram-sha-256
`;

/** A mesh of three dozen pools connects; all else is small, since many servers share one machine. */
const SETTINGS = { max_connections: 200, shared_buffers: "64MB", max_wal_size: "512MB" };

/** Postgres 15 or newer. As root it is run as another user, since it refuses root. Its data is kept over restarts. */
export const postgres: Engine<PostgresOptions, RunningPostgres> = {
  title: "Postgres",
  async install(progress) {
    await postgresBinaries(progress);
  },
  start: async (options) => await RunningServer.start(options),
};

class RunningServer implements RunningPostgres {
  readonly processes = new Map<string, Child>();
  readonly data: string;
  readonly tcp: { readonly host: string; readonly port: number };
  readonly socket: string;
  readonly superuser = SUPERUSER;
  readonly url: string;
  readonly #run: () => Promise<Child>;
  readonly #listeners: ((end: ProcessEnd) => void)[] = [];

  private constructor(place: Place, port: number, run: () => Promise<Child>) {
    this.data = place.data;
    this.socket = place.owned;
    this.tcp = { host: "127.0.0.1", port };
    this.url = `postgres://${NAME}:${place.password}@127.0.0.1:${port}/${NAME}`;
    this.#run = run;
  }

  static async start(options: PostgresOptions): Promise<RunningServer> {
    const place = await prepare(options);
    const port = options.port ?? (await freePort());
    const settings = Object.entries({
      ...SETTINGS,
      ...options.settings,
      port,
      listen_addresses: "127.0.0.1",
    });
    const args = [
      "-D",
      place.data,
      "-k",
      place.owned,
      ...settings.flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ];
    const run = () =>
      Child.start({
        name: "postgres",
        command: join(place.bin, "postgres"),
        args,
        log: join(options.folder, "logs/postgres.log"),
        cwd: place.owned,
        orphanSignal: "INT",
        ...(place.user && { user: place.user }),
      });
    const server = new RunningServer(place, port, run);
    await server.restart();
    return server;
  }

  onEnded(listener: (end: ProcessEnd) => void): void {
    this.#listeners.push(listener);
  }

  async restart(): Promise<void> {
    if (this.processes.get("postgres")?.isRunning) return;
    const child = await this.#run();
    this.processes.set("postgres", child);
    try {
      await untilSaid(child, /ready to accept (read-only )?connections/, START_MS);
    } catch (error) {
      child.killGroup();
      throw error;
    }
    child.ended.then((end) => {
      if (!end.wasAsked) for (const listener of this.#listeners) listener(end);
    });
  }

  /** "Fast": transactions are rolled back, clients are told, all is written out. */
  async stop(): Promise<void> {
    await this.processes.get("postgres")?.stop(STOP_MS, "SIGINT");
  }
}

interface Place {
  readonly user: PlainUser | undefined;
  readonly bin: string;
  readonly owned: string;
  readonly data: string;
  readonly password: string;
}

/** Has the data, made whole or not at all, and what it takes to serve it. */
async function prepare({ folder, fill, settings, progress = () => {} }: PostgresOptions): Promise<Place> {
  await makeFolder(join(folder, "logs"));
  const user = await plainUser();
  const owned = await ownedFolder(folder, user);
  if (owned.length > LONGEST_FOLDER) {
    throw new EngineError(`${owned} is too long for a socket (${LONGEST_FOLDER} bytes): use a shorter path`);
  }
  const bin = await binariesFor(user, await postgresBinaries(progress), owned);
  const data = join(owned, "data");
  if (!existsSync(data)) {
    const part = `${data}.part`;
    await rm(part, { recursive: true, force: true });
    if (fill) await fill(part);
    else
      await makeData(
        { data: part, bin, user, isSynced: settings?.fsync !== "off" },
        join(folder, "password"),
      );
    await giveTo(user, part);
    await rename(part, data);
  }
  await writeFile(join(data, "pg_hba.conf"), ACCESS);
  const password = await readFile(join(folder, "password"), "utf8").catch(() => "");
  return { user, bin, owned, data, password };
}

async function makeData(
  { data, bin, user, isSynced }: Pick<Place, "data" | "bin" | "user"> & { readonly isSynced: boolean },
  passwordFile: string,
): Promise<void> {
  const initdb = ["-D", data, "-A", "trust", "-U", SUPERUSER, "-E", "UTF8", "--locale=C"];
  if (!isSynced) initdb.push("-N");
  await promisify(execFile)(join(bin, "initdb"), initdb, { cwd: "/", ...user });
  const password = randomBytes(18).toString("base64url");
  await writeFile(passwordFile, password, { mode: 0o600 });
  const single = spawn(join(bin, "postgres"), ["--single", "-D", data, "postgres"], {
    cwd: "/",
    stdio: ["pipe", "ignore", "pipe"],
    ...user,
  });
  single.stdin.end(
    `CREATE ROLE ${NAME} LOGIN PASSWORD '${password}'\nCREATE DATABASE ${NAME} OWNER ${NAME}\n`,
  );
  let said = "";
  single.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const [code] = await once(single, "close");
  if (code !== 0 || /ERROR|FATAL/.test(said))
    throw new EngineError(`Postgres could not make its database: ${said}`);
}
