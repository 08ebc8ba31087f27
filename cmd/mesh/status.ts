import { readFileSync } from "node:fs";
import { askSupervisor } from "./control/control-client.ts";
import type { SupervisorStatus } from "./control/messages.ts";
import { meshFolder } from "./plan/mesh-folder.ts";
import { type Probe, probe } from "./screen/probe.ts";
import { meshStatus, serviceOf, statusLines } from "./screen/status-view.ts";
import type { MeshSettings } from "./settings.ts";

/** `make mesh-status`. Resolves to the exit code: 0 if all is ready, 1 if not, 3 if no mesh runs here. */
export async function status({ folder }: MeshSettings, isJson: boolean): Promise<number> {
  const supervisor = await supervisorStatus(meshFolder(folder).socket);
  if (!supervisor) {
    process.stderr.write("No mesh runs here: make mesh starts one.\n");
    return 3;
  }
  const probes = await Promise.all(
    supervisor.processes.flatMap(({ name }) => {
      const port = supervisor.ports[`${name}/admin`];
      return serviceOf(name) === undefined || port === undefined
        ? []
        : [probe(port).then((found): readonly [string, Probe] => [name, found])];
    }),
  );
  const found = meshStatus(supervisor, new Map(probes), Date.now(), memoryOf);
  const text = isJson
    ? JSON.stringify(found)
    : statusLines(found, process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY).join("\n");
  process.stdout.write(`${text}\n`);
  return found.isReady ? 0 : 1;
}

async function supervisorStatus(socket: string): Promise<SupervisorStatus | undefined> {
  for await (const answer of (await askSupervisor(socket, "status")) ?? []) {
    if ("status" in answer) return answer.status;
  }
  return undefined;
}

/** Of what it shares with others its part, so that a sum says what all take. Undefined where there is no /proc. */
function memoryOf(pid: number): number | undefined {
  try {
    const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
    return match ? Number(match[1]) * 1_024 : undefined;
  } catch {
    return undefined;
  }
}
