import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Child } from "../child.ts";
import type { Engine, RunningEngine, StartOptions } from "../engine.ts";
import { runTool } from "../install/run-tool.ts";
import { freePorts } from "../ports.ts";
import { type Part, Processes } from "../processes.ts";
import { untilSaid } from "../until.ts";
import { ETCD_VERSION, etcdBinary } from "./etcd-binary.ts";
import { askStatus, type EtcdTls } from "./etcd-status.ts";

export interface EtcdOptions extends StartOptions {
  /** One, or three, of which one may be away (default 1). A folder keeps what it was first started with. */
  readonly members?: 1 | 3;
  /** Of the first start: one for clients and one for the other members each. Free ones if missing. */
  readonly ports?: readonly MemberPorts[];
  /** Mutual TLS for clients and between members; plain if missing. */
  readonly tls?: EtcdTls;
}

export interface MemberPorts {
  readonly client: number;
  readonly peer: number;
}

/** etcd's processes are `etcd-1` to `etcd-3`. */
export interface RunningEtcd extends RunningEngine {
  /** The members for clients, comma-separated, as HEDDLE_REGISTRY_URL has them. */
  readonly url: string;
  /** The name of the process that leads now; undefined while none does, or no member answers. */
  leader(): Promise<string | undefined>;
}

const READY_MS = 30_000;
const STOP_MS = 5_000;

/** etcd on this machine, 0.1 s and 30 MB a member. */
export const etcdEngine: Engine<EtcdOptions, RunningEtcd> = {
  title: `etcd ${ETCD_VERSION}`,
  async install(progress) {
    await etcdBinary(progress);
  },
  async start(options) {
    const binary = await etcdBinary(options.progress ?? (() => {}));
    await mkdir(join(options.folder, "logs"), { recursive: true });
    const more = options.tls && (await takes(binary, TLS_MINIMUM)) ? { [TLS_MINIMUM]: "TLS1.3" } : {};
    const members = new Members(binary, options, await keptPorts(options), more);
    const parts = members.all.map((member) => members.partOf(member));
    const processes = await Processes.start([parts], [parts], options.progress);
    return {
      processes: processes.processes,
      onEnded: (listener) => processes.onEnded(listener),
      restart: (name) => processes.restart(name),
      stop: () => processes.stop(),
      url: members.all.map(({ client }) => members.urlOf(client)).join(","),
      async leader() {
        const running = members.all.filter(({ name }) => processes.process(name).isRunning);
        for (const member of running) if (await members.leads(member)) return member.name;
        return undefined;
      },
    };
  },
};

/** The members know one another by their ports: a folder keeps those that it was started with. */
async function keptPorts({ folder, members = 1, ports }: EtcdOptions): Promise<readonly MemberPorts[]> {
  const file = join(folder, "ports.json");
  const kept = await readFile(file, "utf8").catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept);
  const chosen = ports ?? (await freeMemberPorts(members));
  await writeFile(`${file}.part`, JSON.stringify(chosen));
  await rename(`${file}.part`, file); // Half a file would keep it from ever starting again.
  return chosen;
}

async function freeMemberPorts(members: number): Promise<readonly MemberPorts[]> {
  const free = await freePorts(members * 2);
  return Array.from({ length: members }, (_, index) => ({
    client: free[2 * index] ?? 0,
    peer: free[2 * index + 1] ?? 0,
  }));
}

interface Member extends MemberPorts {
  readonly name: string;
}

/** The members of one folder: their addresses, and how each is started. */
class Members {
  readonly all: readonly Member[];
  readonly #binary: string;
  readonly #folder: string;
  readonly #tls: EtcdTls | undefined;
  readonly #more: Readonly<Record<string, string>>;

  /** `more`: settings of this program's version. */
  constructor(
    binary: string,
    { folder, tls }: EtcdOptions,
    ports: readonly MemberPorts[],
    more: Readonly<Record<string, string>>,
  ) {
    this.#more = more;
    this.#binary = binary;
    this.#folder = folder;
    this.#tls = tls;
    this.all = ports.map((own, index) => ({ ...own, name: `etcd-${index + 1}` }));
  }

  urlOf(port: number): string {
    return `${this.#tls ? "https" : "http"}://127.0.0.1:${port}`;
  }

  leads(member: Member): Promise<boolean> {
    const status = askStatus(this.urlOf(member.client), this.#tls);
    return status.then(
      ({ isLeader }) => isLeader,
      () => false,
    );
  }

  partOf(member: Member): Part {
    return {
      name: member.name,
      start: () =>
        Child.start({
          name: member.name,
          command: this.#binary,
          args: this.#arguments(member),
          log: join(this.#folder, "logs", `${member.name}.log`),
          env: withoutEtcds(process.env),
        }),
      serves: (child) => untilSaid(child, /ready to serve client requests/, READY_MS),
      stopMs: STOP_MS,
    };
  }

  #arguments({ name, client, peer }: Member): readonly string[] {
    const cluster = this.all.map((member) => `${member.name}=${this.urlOf(member.peer)}`);
    const settings = {
      name,
      "data-dir": join(this.#folder, name),
      "listen-client-urls": this.urlOf(client),
      "advertise-client-urls": this.urlOf(client),
      "listen-peer-urls": this.urlOf(peer),
      "initial-advertise-peer-urls": this.urlOf(peer),
      "initial-cluster": cluster.join(","),
      // Loads are put every 2 s by each push server: without this all of them would be kept for ever.
      "auto-compaction-mode": "periodic",
      "auto-compaction-retention": "10m",
      // Half as patient again as etcd's own: a machine that runs a whole mesh must not lose its leader to a slow disk.
      "heartbeat-interval": "150",
      "election-timeout": "1500",
      ...(this.#tls ? tlsSettings(this.#tls) : {}),
      ...this.#more,
    };
    return Object.entries(settings).map(([setting, value]) => `--${setting}=${value}`);
  }
}

function tlsSettings({ cert, key, ca }: EtcdTls): Record<string, string> {
  const both = ["", "peer-"].flatMap((side) => [
    [`${side}cert-file`, cert],
    [`${side}key-file`, key],
    [`${side}trusted-ca-file`, ca],
    [`${side}client-cert-auth`, "true"],
  ]);
  return Object.fromEntries(both);
}

/** The packaged etcd is older than this setting, and than TLS 1.3. */
const TLS_MINIMUM = "tls-min-version";

async function takes(binary: string, setting: string): Promise<boolean> {
  const help = await runTool(binary, ["--help"], "set ETCD_BIN to etcd's program, or leave it out");
  return help.includes(`--${setting}`);
}

/** etcd takes settings from variables, too. */
function withoutEtcds(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("ETCD_")));
}
