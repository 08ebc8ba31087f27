import { askSupervisor } from "./control/control-client.ts";
import { endLeftOvers } from "./control/left-overs.ts";
import { readState, writeState } from "./control/state-file.ts";
import { meshFolder } from "./plan/mesh-folder.ts";
import { ProgressView } from "./screen/progress-view.ts";
import type { MeshSettings } from "./settings.ts";

/**
 * `make mesh-down`: ends all in good order, and says what it ended. Where the supervisor is gone, it ends what that has
 * left. Resolves to the exit code.
 */
export async function down({ folder }: MeshSettings): Promise<number> {
  const paths = meshFolder(folder);
  const answers = await askSupervisor(paths.socket, "stop");
  if (!answers) return await endLeft(paths.state);
  const view = new ProgressView(process.stdout, () => performance.now());
  const ticking = setInterval(() => view.tick(), 200);
  try {
    for await (const answer of answers) {
      if ("step" in answer) view.show(answer.step);
      if ("failed" in answer) break;
      if (!("stopped" in answer)) continue;
      view.clear();
      process.stdout.write(`${said(answer.stopped)}\n`);
      return 0;
    }
  } finally {
    clearInterval(ticking);
  }
  view.clear();
  process.stderr.write("mesh: its supervisor went away before it had ended all: run make mesh-down again\n");
  return 1;
}

function said(ended: readonly string[]): string {
  return ended.length === 0 ? "The start was given up." : `Ended ${ended.length} processes; the data stays.`;
}

async function endLeft(path: string): Promise<number> {
  const state = await readState(path);
  const left = await endLeftOvers(state?.processes ?? {});
  if (state) await writeState(path, { ...state, processes: {} });
  process.stdout.write(
    left.length === 0
      ? "No mesh runs here.\n"
      : `Its supervisor was gone; ended what it had left: ${left.join(", ")}.\n`,
  );
  return 0;
}
