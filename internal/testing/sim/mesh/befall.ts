import { bite } from "../network/sim-link.ts";
import type { MeshFault } from "../plan/mesh-faults.ts";
import { LAG_MS, type MeshProcess } from "./mesh-process.ts";
import type { World } from "./world.ts";

/** What befalls the clients of a process with it. */
export interface Clients {
  /** `isHeard`: they are told. */
  lost(process: MeshProcess, isHeard: boolean): void;
  /** Every device stands still until then, in simulated ms. */
  sleep(untilMs: number): void;
}

/** After one process of a service has started again the next one leaves, in ms. */
const NEXT_MS = 2_000;

/** Lets a fault befall the world, for its time. */
export function befall(world: World, clients: Clients, fault: MeshFault): void {
  const { engine, network, registry, bites } = world;
  const untilMs = engine.nowMs + fault.forMs;
  if ("other" in fault) {
    const way = network.wayOf(fault.process, fault.other);
    if (fault.what === "links silent") way.silentUntilMs = untilMs;
    else if (fault.what === "links slow") way.slowUntilMs = untilMs;
    else {
      network.cut(fault.process, fault.other);
      if (fault.what === "apart") way.awayUntilMs = untilMs;
    }
  } else if ("process" in fault) befallProcess(world, clients, fault);
  else if (fault.what === "registry away") {
    bite(bites, fault.what);
    registry.setAway(true);
    world.registryAwayUntilMs = Math.max(world.registryAwayUntilMs, untilMs);
    engine.after(fault.forMs, undefined, () => {
      if (world.registryAwayUntilMs <= engine.nowMs) registry.setAway(false);
    });
  } else if (fault.what === "registry restored") {
    const backup = registry.backUp();
    engine.after(fault.forMs, undefined, () => {
      bite(bites, fault.what);
      registry.restore(backup);
    });
  } else if (fault.what === "days asleep" || fault.what === "days off") daysPass(world, clients, fault);
  else if (fault.what === "slow logs") world.logsState.slowUntilMs = untilMs;
  else if (fault.what === "slow rows") world.rowsState.slowUntilMs = untilMs;
  else if (fault.what === "logs away") world.logsState.awayUntilMs = untilMs;
  else world.rowsState.awayUntilMs = untilMs;
}

function befallProcess(
  world: World,
  clients: Clients,
  { what, process: name, forMs }: Extract<MeshFault, { process: string }>,
): void {
  const { engine, bites } = world;
  if (what === "rolling restart") {
    restartEach(world, clients, namesOf(world, name), forMs);
    return;
  }
  if (what === "visit") {
    bite(bites, what);
    world.start(name);
    engine.after(forMs, undefined, () => world.leave(name, () => {}));
    return;
  }
  const process = world.livingAt(name);
  if (!process) return;
  bite(bites, what);
  if (what === "crash" || what === "vanish") {
    world.crash(name, what === "crash");
    clients.lost(process, what === "crash");
    engine.after(forMs, undefined, () => world.start(name));
  } else if (what === "leave") {
    world.leave(name, () => {
      clients.lost(process, true);
      engine.after(forMs, undefined, () => world.start(name));
    });
  } else if (what === "pause") process.life.pausedUntilMs = engine.nowMs + forMs;
  else if (what === "lease lost") world.registry.loseLease(process.service, name);
  else if (what === "watch cut") process.registry.cutWatches();
  else {
    const { way } = process.registry;
    if (what === "registry unreached") way.isCut = true;
    else way.lagMs = forMs;
    engine.after(forMs, undefined, () => reachRegistry(process));
  }
}

function namesOf(world: World, service: string): string[] {
  return [...world.processes.values()].filter((one) => one.service === service).map(({ name }) => name);
}

function restartEach(world: World, clients: Clients, [name, ...others]: string[], forMs: number): void {
  if (name === undefined) return;
  const { engine, bites } = world;
  const next = () => restartEach(world, clients, others, forMs);
  if (!world.livingAt(name)) {
    next();
    return;
  }
  bite(bites, "rolling restart");
  world.leave(name, (process) => {
    clients.lost(process, true);
    engine.after(forMs, undefined, () => world.start(name));
    engine.after(forMs + NEXT_MS, undefined, next);
  });
}

/** Leases run out, and what all know of one another grows old; nothing else happens, so it costs no time. */
function daysPass(world: World, clients: Clients, { what, forMs }: MeshFault): void {
  const { engine, bites } = world;
  const untilMs = engine.nowMs + forMs;
  bite(bites, what);
  clients.sleep(untilMs);
  for (const { name, life } of world.processes.values()) {
    if (!life.isAlive) continue;
    if (what === "days asleep") life.pausedUntilMs = untilMs;
    else {
      const process = world.crash(name, true);
      if (process) clients.lost(process, true);
      engine.at(untilMs, undefined, () => world.start(name));
    }
  }
}

/** Ends what keeps a process from the registry. */
function reachRegistry({ registry: { way } }: MeshProcess): void {
  way.isCut = false;
  way.lagMs = LAG_MS;
}

/** Lets every process hear of the registry what it would hear late. */
export function tellLate(world: World): void {
  for (const process of world.processes.values()) {
    process.registry.way.lagMs = LAG_MS;
    world.engine.after(0, process.life, () => process.registry.tellLate());
  }
}

/** Ends every fault: what is down starts again. */
export function heal(world: World, processes: readonly string[]): void {
  world.registryAwayUntilMs = 0;
  world.registry.setAway(false);
  world.network.heal();
  for (const state of [world.logsState, world.rowsState])
    Object.assign(state, { slowUntilMs: 0, awayUntilMs: 0 });
  for (const process of world.processes.values()) reachRegistry(process);
  tellLate(world);
  for (const name of processes) world.start(name);
}
