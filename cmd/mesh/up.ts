import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { makeFolder } from "../../internal/base/make-folder.ts";
import { askSupervisor } from "./control/control-client.ts";
import { type Answer, HELD, type ReadyMesh } from "./control/messages.ts";
import { meshFolder } from "./plan/mesh-folder.ts";
import { boundLog } from "./run/log-bounds.ts";
import { nextSteps } from "./screen/next-steps.ts";
import { ProgressView } from "./screen/progress-view.ts";
import type { MeshSettings } from "./settings.ts";

const LOOK_EVERY_MS = 30;
const TICK_MS = 200;
/** How long a supervisor may take to listen for commands: it loads, and does nothing else before. */
const LISTENS_MS = 30_000;

/**
 * `make mesh`: starts a supervisor in the background, shows what it does, and returns when the mesh serves. One that runs
 * already is left as it is. Ctrl-C gives the start up. Resolves to the exit code.
 */
export async function up(settings: MeshSettings, given: { readonly store?: string }): Promise<number> {
  const { socket } = meshFolder(settings.folder);
  const there = await askSupervisor(socket, "follow");
  if (there) return await follow(there, "The mesh runs already", given.store);
  const background = await startSupervisor(settings);
  const answers = await firstAnswers(socket, background.child);
  if (!answers) {
    process.stderr.write(`mesh: ${background.lastWords()}\n`);
    return 1;
  }
  let isGivenUp = false;
  const giveUp = () => {
    if (isGivenUp) process.exit(130);
    isGivenUp = true;
    process.stderr.write("\nending it (Ctrl-C once more leaves at once)\n");
    void askSupervisor(socket, "stop").then(async (ending) => {
      for await (const _ of ending ?? []); // What it says comes to us as well.
    });
  };
  process.on("SIGINT", giveUp);
  process.on("SIGTERM", giveUp);
  const code = await follow(answers, "The mesh is ready", given.store);
  return isGivenUp ? 130 : code;
}

async function follow(
  answers: AsyncIterable<Answer>,
  begins: string,
  store: string | undefined,
): Promise<number> {
  const view = new ProgressView(process.stdout, () => performance.now());
  const ticking = setInterval(() => view.tick(), TICK_MS);
  try {
    for await (const answer of answers) {
      if ("step" in answer) view.show(answer.step);
      if ("ready" in answer) {
        view.clear();
        return sayReady(answer.ready, begins, store);
      }
      if ("failed" in answer || "stopped" in answer) {
        view.clear();
        process.stderr.write("failed" in answer ? `mesh: ${answer.failed}\n` : "mesh: it was ended\n");
        return 1;
      }
    }
  } finally {
    clearInterval(ticking);
  }
  view.clear();
  process.stderr.write(
    "mesh: its supervisor is gone: make mesh starts it again, its log is logs/supervisor.log\n",
  );
  return 1;
}

function sayReady(ready: ReadyMesh, begins: string, store: string | undefined): number {
  process.stdout.write(nextSteps(ready, begins));
  if (store === undefined || store === ready.store) return 0;
  process.stderr.write(`mesh: it runs with STORE=${ready.store}; make mesh-down ends it first\n`);
  return 1;
}

/** It outlives this process, and this terminal. What it prints is kept in its log. */
async function startSupervisor({ folder, store, edgePort }: MeshSettings) {
  const paths = meshFolder(folder);
  await makeFolder(paths.folder, process.getuid?.() === 0 ? 0o711 : 0o700);
  await makeFolder(paths.logs);
  const path = join(paths.logs, "supervisor.log");
  await boundLog(path);
  const log = openSync(path, "a", 0o600);
  const { size: before } = statSync(path);
  const args = [
    "--disable-warning=ExperimentalWarning",
    join(import.meta.dirname, "main.ts"),
    "supervise",
    ...(store === undefined ? [] : ["--store", store]),
    ...(edgePort === undefined ? [] : ["--port", `${edgePort}`]),
  ];
  const child = spawn(process.execPath, args, { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  await once(child, "spawn");
  child.unref();
  return {
    child,
    lastWords: () =>
      readFileSync(path).subarray(before).toString().trim() || `its supervisor ended; see ${path}`,
  };
}

/** Undefined if the supervisor ended, and no other one listens either. */
async function firstAnswers(socket: string, child: ChildProcess): Promise<AsyncIterable<Answer> | undefined> {
  const end = performance.now() + LISTENS_MS;
  for (;;) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    const answers = await askSupervisor(socket, "follow");
    if (answers) return answers;
    // The one that has the lock may be about to listen: two were started at once.
    if (performance.now() > end || (hasEnded && child.exitCode !== HELD)) return undefined;
    await delay(LOOK_EVERY_MS);
  }
}
