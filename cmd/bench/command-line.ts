import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { compareRecords, comparisonTable } from "./figures/comparison.ts";
import { table } from "./figures/figures-text.ts";
import { runPlace } from "./figures/machine.ts";
import { benchPage } from "./figures/page.ts";
import { appendRecords, type BenchRecord, newest, readRecords, toRecord } from "./figures/record.ts";
import { PAGE, RESULTS, ROOT } from "./folders.ts";
import { keepProfile } from "./profiles.ts";
import { FULL, QUICK } from "./scale.ts";
import { LIMIT_MS, type Scenario, Stage } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

/** Exit codes (docs/design.md, section 12). */
const EXIT = { well: 0, failed: 1, wrongUse: 2 } as const;

/**
 * Runs of each server in a comparison: their median is told. With fewer, one disturbed run decides; with more, a
 * comparison of all scenarios takes hours.
 */
const RUNS = 5;

/** Options as commander gives them; what is not given is undefined. */
interface Options {
  readonly only?: string;
  readonly json?: boolean;
  readonly quick?: boolean;
  readonly profile?: boolean;
  readonly against?: string;
}

/**
 * Runs the command line, `argv` as the process got it. Resolves to the exit code: 1 if a scenario failed, though the
 * others were measured. Figures on stdout, progress and problems on stderr, so that `--json` can be piped.
 */
export async function runBench(argv: readonly string[]): Promise<number> {
  const program = new Command("bench")
    .description(
      "Measures Heddle on this machine: server and load in separate processes, on 127.0.0.1 and free ports.\n" +
        `Scenarios:\n${SCENARIOS.map(({ name }) => `  ${name}`).join("\n")}`,
    )
    .option("--only <names>", "these scenarios, separated by commas")
    .option("--json", "print the records, one JSON object a line, instead of a table")
    .option("--quick", "a second or so each, to see that it works: keeps no records and writes no page")
    .option("--profile", "profile the server in each measured window; the figures are not kept")
    .option("--against <checkout>", "compare with the server of another checkout, five runs of each by turns")
    .exitOverride()
    .showHelpAfterError("(--help lists the options)");
  try {
    const options = program.parse(argv).opts<Options>();
    const chosen = choose(options.only);
    return options.against === undefined
      ? await measure(chosen, options)
      : await compare(chosen, options, resolve(options.against));
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.well : EXIT.wrongUse;
    throw error;
  }
}

/**
 * The scenarios of `--only`, in their own order, not in that of the option: floors come first. Throws CommanderError
 * for a name that there is not.
 */
function choose(only: string | undefined): readonly Scenario[] {
  if (only === undefined) return SCENARIOS;
  const names = only.split(",");
  const unknown = names.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    const known = SCENARIOS.map(({ name }) => name).join(", ");
    process.stderr.write(`bench: there is no scenario ${unknown}: choose of ${known}\n`);
    throw new CommanderError(EXIT.wrongUse, "bench.scenario", unknown);
  }
  return SCENARIOS.filter(({ name }) => names.includes(name));
}

/**
 * Runs scenarios one after the other; a failed one does not keep the next from being measured. Profiled and quick runs
 * leave no record: their figures would be taken for real ones.
 */
async function measure(chosen: readonly Scenario[], options: Options): Promise<number> {
  const records: BenchRecord[] = [];
  const interrupted = firstSignal();
  let isWell = true;
  for (const scenario of chosen) {
    if (interrupted.aborted) break;
    const measured = await runScenario(scenario, options, interrupted);
    if (measured === undefined) isWell = false;
    else records.push(...measured);
    if (options.json)
      for (const record of measured ?? []) process.stdout.write(`${JSON.stringify(record)}\n`);
  }
  if (!options.json && records.length > 0) process.stdout.write(table(records));
  if (!options.quick && !options.profile) await keep(records);
  return isWell ? EXIT.well : EXIT.failed;
}

/** Runs each scenario by turns with the other checkout's server and with ours: neighbours disturb both alike. */
async function compare(chosen: readonly Scenario[], options: Options, checkout: string): Promise<number> {
  if (!existsSync(join(checkout, "bin/heddle"))) {
    process.stderr.write(
      `bench: there is no bin/heddle in ${checkout}: name a checkout that has been installed\n`,
    );
    return EXIT.wrongUse;
  }
  const interrupted = firstSignal();
  for (const scenario of chosen) {
    const [before, after]: [BenchRecord[], BenchRecord[]] = [[], []];
    for (let run = 0; run < RUNS; run++) {
      // A comparison with a run missing would be told as if it were whole: the first failure ends it.
      const theirs = await runScenario(scenario, options, interrupted, checkout);
      const ours = theirs && (await runScenario(scenario, options, interrupted));
      if (!theirs || !ours) return EXIT.failed;
      before.push(...theirs);
      after.push(...ours);
    }
    const comparisons = compareRecords(before, after);
    process.stdout.write(
      options.json
        ? comparisons.map((one) => `${JSON.stringify(one)}\n`).join("")
        : comparisonTable(comparisons),
    );
  }
  return EXIT.well;
}

/** Undefined if it failed; the reason has been told. `checkout`: whose server, if it is not ours. */
async function runScenario(
  scenario: Scenario,
  options: Options,
  interrupted: AbortSignal,
  checkout?: string,
): Promise<BenchRecord[] | undefined> {
  const startedMs = performance.now();
  const progress = (text: string) => {
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    process.stderr.write(`${scenario.name} +${seconds} s: ${text}\n`);
  };
  const stage = new Stage({
    scale: options.quick ? QUICK : FULL,
    progress,
    ...(checkout ? { checkout } : {}),
    ...(options.profile
      ? { onProfile: (profile: unknown, done: number) => keepProfile(scenario.name, profile, done) }
      : {}),
  });
  try {
    // Before the run: what is edited meanwhile is not what was measured.
    const place = runPlace();
    const figures = await Promise.race([
      scenario.run(stage),
      givenUp(interrupted, scenario.limitMs ?? LIMIT_MS),
    ]);
    progress("done");
    return figures.map((figure) => toRecord(figure, place));
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    // A stack where the benchmark itself is at fault; a word where a person stopped it.
    process.stderr.write(`bench: ${scenario.name}: ${interrupted.aborted ? message : stack}\n`);
    return undefined;
  } finally {
    await stage.end();
  }
}

/** Aborts at Ctrl-C or SIGTERM, so that servers and loads are ended; a second one ends this process at once. */
function firstSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  return stop.signal;
}

/** Rejects when the run is interrupted, or has taken too long. */
function givenUp(interrupted: AbortSignal, limitMs: number): Promise<never> {
  const either = AbortSignal.any([interrupted, AbortSignal.timeout(limitMs)]);
  return new Promise((_, reject) => {
    either.addEventListener("abort", () => reject(either.reason), { once: true });
  });
}

/**
 * Adds to the records of earlier runs and writes the page of the newest of each, so that one scenario can be measured
 * anew alone.
 */
async function keep(records: readonly BenchRecord[]): Promise<void> {
  if (records.length === 0) return;
  await appendRecords(RESULTS, records);
  await writeFile(PAGE, benchPage(newest(await readRecords(RESULTS)), SCENARIOS));
  const name = (path: string) => relative(ROOT, path);
  process.stderr.write(`records are in ${name(RESULTS)}, the newest of each in ${name(PAGE)}\n`);
}
