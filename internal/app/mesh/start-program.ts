import { type Clock, sleep, systemClock } from "../../base/clock.ts";
import type { Settings, SettingValues } from "../../base/env.ts";
import { hostPort } from "../../base/host-port.ts";
import { createLog, type Logger } from "../../base/log.ts";
import { createMetrics } from "../../base/metrics.ts";
import { linkMethod } from "../../peers/internal-services.ts";
import { openRegistry } from "../../registry/etcd/open-registry.ts";
import { meteredRegistry } from "../../registry/metered-registry.ts";
import type { RpcContext } from "../../rpc/calls/call-runner.ts";
import { dialGrpc } from "../../rpc/links/grpc-dialler.ts";
import type { ListenAddress } from "../../rpc/listen-address.ts";
import { createRpcMetrics } from "../../rpc/metrics.ts";
import { eventLoopTick } from "../../stream/each-tick.ts";
import { Neighbours } from "../assembly/neighbours.ts";
import { startAdminServer } from "../operators/admin-server.ts";
import { bound } from "../operators/listening.ts";
import { DependencyAway, type Running } from "../run-service.ts";
import { logLevelOf } from "../settings/groups.ts";
import { PROGRAM_VERSION } from "../settings/versions.ts";
import { StopStack } from "../stop-stack.ts";
import { Certificates } from "./certificates.ts";
import { LinkEnds } from "./link-ends.ts";
import { type BoundPorts, Listeners } from "./listeners.ts";
import { exposeMesh, missing } from "./mesh-metrics.ts";
import { type Advertised, Program, type ProgramKind, type Serving } from "./program.ts";
import {
  type Addresses,
  addressesOf,
  type EVERY_SETTINGS,
  type EveryValues,
  tlsPathsOf,
} from "./settings.ts";

/** How often a start looks whether what it waits for is there, in ms, and after how long it says what that is. */
const LOOK_MS = 50;
const SAID_AFTER_MS = 2_000;

/** A program of the mesh that serves. */
export interface RunningProgram extends Running {
  readonly log: Logger;
  readonly service: string;
  readonly name: string;
  /** Where it was bound, by the word of the listener, `admin` among them: host:port. */
  readonly addresses: Readonly<Record<string, string>>;
}

export interface StartInit<S extends Settings> {
  readonly kind: ProgramKind<S>;
  readonly values: SettingValues<S & typeof EVERY_SETTINGS>;
  readonly isTerminal: boolean;
  readonly stopped: AbortSignal;
  /** The run before, whose ports are taken again. */
  readonly again?: RunningProgram | undefined;
  readonly clock?: Clock;
}

/**
 * Starts one program of the mesh: it opens what it needs, binds its listeners, takes its place in the registry, and waits
 * until it knows the programs that it needs. Rejects with what `startFailure` explains, with everything closed again.
 */
export async function startProgram<S extends Settings>(init: StartInit<S>): Promise<RunningProgram> {
  const { values, isTerminal, clock = systemClock } = init;
  const log = createLog({ level: logLevelOf(values as EveryValues, isTerminal) });
  const stack = new StopStack(log);
  try {
    return await start(init, clock, log, stack);
  } catch (error) {
    await stack.unwind();
    throw error;
  }
}

async function start<S extends Settings>(
  init: StartInit<S>,
  clock: Clock,
  log: Logger,
  stack: StopStack,
): Promise<RunningProgram> {
  const { kind, stopped } = init;
  const values = init.values as EveryValues & Readonly<Record<string, unknown>>;
  const { service } = kind;
  const { HEDDLE_NAME: name, HEDDLE_DRAIN_MS: drainMs } = values;
  const addresses = again(addressesOf(values), init.again);
  const metrics = createMetrics({ process: true });
  const tls = tlsPathsOf(values);
  const certificates = tls && new Certificates(tls, { clock, log, metrics, stack });

  let state: "starting" | "ready" | "draining" = "starting";
  let serving: Serving | undefined;
  let program: Program | undefined;
  const admin = await bound("HEDDLE_ADMIN_ADDR", () =>
    startAdminServer(addresses.admin, {
      notReady: () => (state === "ready" ? undefined : state),
      degraded: () => program && missing(program, serving),
      metrics,
    }),
  );
  stack.add("admin listener", () => admin.close());

  const etcd = openRegistry({
    url: values.HEDDLE_REGISTRY_URL,
    ...(tls && isSecure(values) && { tls: { cert: tls.certificate, key: tls.key, ca: tls.ca } }),
    clock,
    log,
  });
  stack.add("registry", () => etcd.close());
  const registry = meteredRegistry(etcd, metrics, clock);
  const ends = new LinkEnds(log, clock);
  const neighbours = new Neighbours({
    registry,
    clock,
    tick: eventLoopTick,
    dial: ({ address }, to) =>
      dialGrpc(address, linkMethod(to), {
        clock,
        ...(certificates && { secure: { tls: certificates.tls, service: to } }),
        ended: (why) => ends.tell(to, address, why),
      }),
    random: Math.random,
  });
  stack.add("links", () => neighbours.close());
  program = new Program({ service, name, clock, log, metrics, stack, registry, neighbours, stopped });
  serving = await kind.start(init.values, program);
  exposeMesh(metrics, program);

  const proxies = new Set(values.HEDDLE_PROXIES as readonly string[] | undefined);
  const context: RpcContext = { clock, log, metrics: createRpcMetrics(metrics), proxies };
  const listeners = new Listeners({ service, serving, context, certificates });
  stack.add("listeners", () => listeners.close());
  const ports = await listeners.listen(addresses);
  const { leave } = serving;
  // Added last, so run first: nothing new is asked of who leaves, and what is under way ends well.
  stack.add("drain", async () => {
    state = "draining";
    await leave();
    await listeners.drain(clock, drainMs);
  });
  const advertised = advertisedAs(addresses, ports, values.HEDDLE_ADVERTISE_HOST);
  await inTime(program, values.HEDDLE_REGISTRY_WAIT_S * 1_000, program.takePlace(advertised));
  state = "ready";
  listeners.health.set(true);
  const at = {
    ...advertised,
    admin: hostPort(addresses.admin.host, admin.port),
  };
  log.info({ service, name, version: PROGRAM_VERSION, profile: values.HEDDLE_PROFILE, ...at }, "ready");
  const over = serving.over ?? new Promise<string>(() => {});
  return { log, service, name, addresses: at, over, close: () => stack.unwind() };
}

/** An etcd on this machine may be had in clear. */
function isSecure({ HEDDLE_REGISTRY_URL: url }: EveryValues): boolean {
  return url.includes("https://");
}

/** Waits until the program is registered and knows all that it has asked for. Rejects with DependencyAway. */
async function inTime(program: Program, waitMs: number, registered: Promise<void>): Promise<void> {
  const { clock, neighbours, log, stopped, name, service } = program;
  const startMs = clock.monotonicMs();
  let isRegistered = false;
  let isSaid = false;
  registered.then(
    () => {
      isRegistered = true;
    },
    () => {},
  );
  const lacks = () => {
    const unloaded = [...neighbours.mirrors].filter(([, mirror]) => mirror.view().state === "not_loaded");
    if (unloaded.length > 0) return "the registry does not answer: start it, or mend HEDDLE_REGISTRY_URL";
    if (isRegistered) return undefined;
    return `the registry does not answer, or another ${service} is registered as ${name}: mend HEDDLE_REGISTRY_URL or HEDDLE_NAME`;
  };
  for (let lack = lacks(); lack !== undefined; lack = lacks()) {
    const waitedMs = clock.monotonicMs() - startMs;
    if (waitedMs >= waitMs) throw new DependencyAway(lack);
    if (waitedMs >= SAID_AFTER_MS && !isSaid) log.warn({ why: lack }, "the start waits");
    isSaid ||= waitedMs >= SAID_AFTER_MS;
    await sleep(clock, LOOK_MS, stopped).catch(() => {
      throw new DependencyAway("stopped before the registry had its place");
    });
  }
}

/** Where the system chose ports, others go on dialling those. */
function again(addresses: Addresses, before: RunningProgram | undefined): Addresses {
  if (!before) return addresses;
  const at = (word: "link" | "grpc" | "web" | "xds" | "admin") => {
    const [address, was] = [addresses[word], before.addresses[word]];
    if (!address || was === undefined) return address;
    const port = Number(was.slice(was.lastIndexOf(":") + 1));
    return { ...address, port, text: hostPort(address.host, port) };
  };
  const admin = at("admin") ?? addresses.admin;
  return { link: at("link"), grpc: at("grpc"), web: at("web"), xds: at("xds"), admin };
}

function advertisedAs(addresses: Addresses, ports: BoundPorts, host: string | undefined): Advertised {
  const dialled = (address: ListenAddress | undefined, port: number | undefined) =>
    address && port !== undefined ? hostPort(host ?? address.host, port) : undefined;
  const link = dialled(addresses.link, ports.link);
  const grpc = dialled(addresses.grpc, ports.grpc);
  const web = dialled(addresses.web, ports.web);
  const xds = dialled(addresses.xds, ports.xds);
  return { ...(link && { link }), ...(grpc && { grpc }), ...(web && { web }), ...(xds && { xds }) };
}
