import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Backup } from "../../internal/app/care/backup.ts";
import type { Repair } from "../../internal/app/care/repair.ts";
import type { Loss } from "../../internal/app/care/salvage.ts";
import type { Verification } from "../../internal/app/care/verify.ts";
import { type DataFolder, openDataFolder, refuseCare } from "../../internal/app/folder/data-folder.ts";
import { EXIT } from "../../internal/app/run-service.ts";
import type { HeddleConfig } from "../../internal/app/settings/config.ts";
import { SettingsError } from "../../internal/base/env.ts";
import { localUrl } from "../../internal/rpc/listen-address.ts";

/**
 * The commands `heddle admin …`, for the person who keeps a Heddle running. `config` reads the settings when a command
 * runs; `exit` gets the exit codes.
 * `status` and `backup` ask the Heddle that runs, at its admin address. `verify` and `repair` open the folder
 * themselves, so nothing else may have it open: they end with one line that says so.
 */
export function adminCommands(
  program: Command,
  config: () => HeddleConfig,
  exit: (code: number) => void,
): void {
  const admin = program
    .command("admin")
    .description("look after a Heddle: whether it serves, whether its data is sound, copies, repairs");
  admin
    .command("status")
    .description(
      "ask a running Heddle (HEDDLE_ADMIN_ADDR) whether it serves: exit code 0 if so, 1 if not, 3 if nothing answers",
    )
    .action(async () => exit(await status(config())));
  admin
    .command("verify")
    .description(
      "look for damage in the data folder (HEDDLE_DATA_DIR) of a Heddle that is stopped: exit code 0 if there is none, 1 if there is",
    )
    .option("--json", "print what was found in one line of JSON")
    .action(async (options: { json?: boolean }) => exit(await verify(config(), options.json === true)));
  admin
    .command("backup <folder>")
    .description(
      "copy the data of a running Heddle (HEDDLE_ADMIN_ADDR), as it is at one moment, to a new folder on its machine",
    )
    .action(async (folder: string) => exit(await backup(config(), folder)));
  admin
    .command("repair")
    .description(
      "rebuild the rows (threads, groups, positions) of the data folder of a stopped Heddle from its messages; says what was done and what is lost",
    )
    .option(
      "--accept-loss",
      "where there is no backup: make damaged messages anew from all that can be read of them",
    )
    .action(async (options: { acceptLoss?: boolean }) =>
      exit(await repair(config(), options.acceptLoss === true)),
    );
}

/** Asks `/readyz`, as a load balancer does. One that starts or drains answers that it is not ready. */
async function status({ adminAddress }: HeddleConfig): Promise<number> {
  const url = `${localUrl(adminAddress, adminAddress.port)}/readyz`;
  try {
    // One that takes the connection and says nothing is as good as away.
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    process.stdout.write(await response.text());
    return response.ok ? EXIT.well : EXIT.failed;
  } catch {
    process.stderr.write(`heddle: nothing answers at ${url}: start Heddle, or set HEDDLE_ADMIN_ADDR\n`);
    return EXIT.dependencyAway;
  }
}

/** Threads of which `verify` prints what is wrong; of others how many there are. */
const SHOWN_THREADS = 20;

/** Reads every file of the folder and changes none. Minutes for a large one, so it says how far it is. */
async function verify({ dataDir, databaseUrl }: HeddleConfig, asJson: boolean): Promise<number> {
  await refuseCare("heddle admin verify", dataDir, databaseUrl);
  demandFolder(dataDir);
  // Only here: the stores are slow to load, and `status` needs none of them.
  const { verifyFolder } = await import("../../internal/app/care/verify.ts");
  const progress = progressLine();
  const found = await verifyFolder(dataDir, progress.say).finally(progress.end);
  process.stdout.write(asJson ? `${verificationJson(found)}\n` : verificationText(dataDir, found));
  return found.problems.length === 0 ? EXIT.well : EXIT.failed;
}

/** One line for programs; scripts read the names, so they stay as they are. */
function verificationJson(found: Verification): string {
  const { problems, remarks, files, threads, entries, damagedThreads } = found;
  const damaged_threads = damagedThreads;
  return JSON.stringify({ type: "verify", problems, remarks, files, threads, entries, damaged_threads });
}

/** For a person: remarks first, problems below them, and last what to do, which is where the eye is. */
function verificationText(dataDir: string, found: Verification): string {
  const { problems, remarks, files, threads, entries, damagedThreads } = found;
  const ofThreads = problems.filter(({ where }) => where.startsWith("thread "));
  const shown = new Set([...new Set(ofThreads.map(({ where }) => where))].slice(0, SHOWN_THREADS));
  const named = problems.filter(({ where }) => !where.startsWith("thread ") || shown.has(where));
  const others = damagedThreads - shown.size;
  const lines = [
    ...remarks.map(({ where, what }) => `remark   ${where}: ${what}`),
    ...named.map(({ where, what }) => `PROBLEM  ${where}: ${what}`),
    ...(others > 0 ? [`PROBLEM  and ${others} other threads are touched: --json names them`] : []),
    `${dataDir}: looked at ${files} files, ${threads} threads, ${entries} entries; ` +
      (problems.length === 0
        ? "all is well"
        : `${problems.length} problems, ${damagedThreads} threads touched: put a backup of the whole folder in its place (docs/backup.md)`),
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * Asks the running Heddle to copy itself, because only it can hold its own writes for a moment. The answer comes line
 * by line: progress, and then the copy or why there is none. No deadline: a large folder takes as long as it takes.
 */
async function backup({ adminAddress, dataDir }: HeddleConfig, folder: string): Promise<number> {
  const url = `${localUrl(adminAddress, adminAddress.port)}/backup`;
  // The key proves that the caller may read the data anyway. Without one the answer is a refusal that says what to set.
  const key = await readFile((await existingFolder(dataDir)).adminKey, "utf8").catch(() => "");
  const progress = progressLine();
  let done: Backup | undefined;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${key.trim()}` },
      // Absolute: the Heddle that runs was started in another folder than this command.
      body: JSON.stringify({ folder: resolve(folder) }),
    });
    if (response.status === 401) {
      const which = `${dataDir} is not the data folder of the Heddle at ${url}`;
      throw new BackupRefused(`${which}: set HEDDLE_DATA_DIR, or HEDDLE_ADMIN_ADDR`);
    }
    if (!response.ok || !response.body) throw new BackupRefused((await response.text()).trim());
    for await (const line of linesOf(response.body)) {
      const told = JSON.parse(line) as { progress?: string; backup?: Backup; error?: string };
      if (told.error) throw new BackupRefused(told.error);
      if (told.progress) progress.say(told.progress);
      // A stream that ends without `backup` is a Heddle that died: no copy is claimed then.
      done = told.backup ?? done;
    }
  } catch (error) {
    progress.end();
    if (error instanceof BackupRefused) {
      process.stderr.write(`heddle: ${error.message}\n`);
      return EXIT.failed;
    }
  }
  progress.end();
  if (!done) {
    process.stderr.write(`heddle: no answer from ${url}: start Heddle, or set HEDDLE_ADMIN_ADDR\n`);
    return EXIT.dependencyAway;
  }
  const { files, bytes, heldMs, cleared } = done;
  const held = `writes waited for ${Math.ceil(heldMs)} ms`;
  process.stdout.write(`${done.folder}: ${files} files, ${bytes} bytes, checked and synced; ${held}\n`);
  if (cleared) process.stdout.write("removed what a backup that was ended had left\n");
  return EXIT.well;
}

/** The data folder, which must be there: to make an empty one would hide that the setting names the wrong place. */
async function existingFolder(dataDir: string): Promise<DataFolder> {
  demandFolder(dataDir);
  return await openDataFolder(dataDir);
}

function demandFolder(dataDir: string): void {
  if (!existsSync(dataDir)) throw new SettingsError(`${dataDir} is not there: set HEDDLE_DATA_DIR`);
}

/** The running Heddle said no, in words for the person; anything else that is thrown means that it did not answer. */
class BackupRefused extends Error {}

/** Lines as they come in; the last one too must have its end, else it was cut off and is not given. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/**
 * Rebuilds the rows. The folder as it was is kept beside the new one, and the text says where. Exit code 1: it opens,
 * but some threads are damaged and are left as they are, or are gone, or something is lost that no log holds.
 */
async function repair({ dataDir, databaseUrl }: HeddleConfig, acceptsLoss: boolean): Promise<number> {
  await refuseCare("heddle admin repair", dataDir, databaseUrl);
  demandFolder(dataDir);
  const { repairFolder } = await import("../../internal/app/care/repair.ts");
  const progress = progressLine();
  const done = await repairFolder(await existingFolder(dataDir), progress.say, acceptsLoss).finally(
    progress.end,
  );
  process.stdout.write(`${repairText(done).join("\n")}\n`);
  const isWhole = done.taken !== undefined && done.taken.damage === undefined && !done.loss;
  return isWhole && done.made.damaged.length + done.gone.length === 0 ? EXIT.well : EXIT.failed;
}

/**
 * What was made, what was taken over, and, by name, what is lost for want of a source: a person decides with it whether
 * a backup is better.
 */
function repairText(repair: Repair): readonly string[] {
  const { made, taken, lost, gone, mutes, before, loss } = repair;
  const { direct, groups, memberEntries, readPositions, unknownOthers, damaged } = made;
  const { block = 0, device = 0, profile = 0, visibility = 0 } = taken?.kept ?? {};
  const lines = [
    `made anew from the messages: ${direct} direct threads, ${groups} groups from ${memberEntries} changes, ` +
      `${readPositions} read positions`,
  ];
  if (taken) {
    lines.push(
      `taken over from the rows before: ${mutes} mutes, ${block} blocks, ${device} devices, ${visibility} visibilities, ` +
        `${profile} profiles`,
      "what was changed of these since those rows were written is lost: blocks, revoked devices, mutes, visibility, names",
    );
  }
  const why = taken ? taken.damage : lost;
  if (why !== undefined) {
    const what = `${taken ? "what could not be read of " : ""}mutes, blocks, devices, visibility, profiles`;
    lines.push(
      `LOST, for no log holds them: ${what} (${why}): devices that were revoked can sign in again, and who was ` +
        "blocked can write: put a backup back, or revoke and block again",
    );
  }
  if (unknownOthers.length > 0) {
    const shown = `not shown until somebody writes there: ${unknownOthers.length} direct threads of which one user is known`;
    lines.push(`${shown}: ${some(unknownOthers)}`);
  }
  lines.push(...blocksText(made));
  if (damaged.length > 0) {
    lines.push(`DAMAGED, see bin/heddle admin verify: ${damaged.length} threads: ${some(damaged)}`);
  }
  lines.push(...goneText(gone));
  if (before) lines.push(`the rows from before are kept in ${before}`);
  if (loss) lines.push(...lossText(loss));
  return lines;
}

/** What the log says of blocks, and no more: a head that is made anew looks ever after like one that a block raised. */
function blocksText({ maybeBlocked, unknownBlocks }: Repair["made"]): readonly string[] {
  const lines: string[] = [];
  if (maybeBlocked.length > 0) {
    const what = "a block was set or lifted once, or an earlier repair made the head anew";
    lines.push(`${what}, in ${maybeBlocked.length} direct threads: ${some(maybeBlocked)}`);
  }
  if (unknownBlocks.length > 0) {
    const what = "the log does not say any more whether a block was ever set";
    lines.push(`${what} in ${unknownBlocks.length} direct threads: ${some(unknownBlocks)}`);
  }
  return lines;
}

/** Every one by name, however many: nothing else will ever name them. */
function goneText(gone: Repair["gone"]): readonly string[] {
  return gone.map(({ thread, end, knownSeq }) => {
    if (end > 0) return `LOST of thread ${thread}: seq ${end + 1}–${knownSeq} at least, its end`;
    const known = knownSeq > 0 ? `it went up to seq ${knownSeq} at least` : "somebody had written there";
    return `LOST thread ${thread}, all of it: ${known}`;
  });
}

function lossText({ files, threads, aside }: Loss): readonly string[] {
  const lines = files.map(({ file, why }) => `LOST what could not be read of messages/${file}: ${why}`);
  for (const { thread, lost } of threads.slice(0, SHOWN_THREADS)) {
    const ranges = lost.slice(0, 5).map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
    lines.push(`LOST of thread ${thread}: seq ${ranges.join(", ")}${lost.length > 5 ? ", …" : ""}`);
  }
  if (threads.length > SHOWN_THREADS)
    lines.push(`LOST of ${threads.length - SHOWN_THREADS} other threads too`);
  lines.push(
    "threads of which the newest entries were lost end earlier now: only of those that the rows knew of is it said",
    `the damaged messages are kept as they were in ${aside}: remove them when nothing of them is wanted any more`,
  );
  return lines;
}

/** At most five by name: a line stays a line. */
function some(ids: readonly string[]): string {
  return ids.length > 5 ? `${ids.slice(0, 5).join(", ")}, …` : ids.join(", ");
}

/**
 * How far a long command has come: one line that is written over, on a terminal only, at most ten times a second. `end`
 * takes it away; call it before anything else is printed, also when the work has failed.
 */
export function progressLine(): { readonly say: (text: string) => void; readonly end: () => void } {
  const { isTTY } = process.stderr;
  let saidAtMs = 0;
  return {
    say: (text) => {
      if (!isTTY || performance.now() - saidAtMs < 100) return;
      saidAtMs = performance.now();
      process.stderr.write(`\r\x1b[K${text}`);
    },
    end: () => {
      if (isTTY) process.stderr.write("\r\x1b[K");
    },
  };
}
