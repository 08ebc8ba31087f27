import { supervise } from "./control/supervise.ts";
import type { MeshSettings } from "./settings.ts";

/** The background half of `make mesh`: its output is the supervisor's log. Resolves to the exit code. */
export async function superviseHere({ folder, store, edgePort }: MeshSettings): Promise<number> {
  const onLog = (line: string) => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  };
  return await supervise({ folder, store, ...(edgePort !== undefined && { edgePort }), onLog });
}
