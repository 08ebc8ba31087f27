import Mocha from "mocha";

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Mocha.Runner.constants;

/** How long Mocha may take to leave once all is said, in ms. */
const LEAVE_MS = 20_000;

/** So much of an error's text stands in its closing line, in UTF-16 units: a difference of two values needs a few lines. */
const MOST_OF_REASON = 1_000;

/** Mocha does not leave while a handle is open, for ever if need be: says which, and ends with the code it would have. */
function endAnyway(failures: () => number): void {
  const late = setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(" ");
    process.stderr.write(`a test left something open (${open}): find it, and close it\n`);
    process.exit(Math.min(failures(), 255));
  }, LEAVE_MS);
  late.unref();
}

/**
 * Mocha's Spec output, closed by the line `N passed, N failed, N skipped`, which CI reads.
 *
 * A pending test (`it.skip`, `this.skip()`, an `it` without a body) counts as skipped. With `CI=true` a skipped
 * test fails the run: there everything a test needs is installed, so a skip can only hide a missing tool.
 * A run that matched no test at all fails everywhere, for the same reason. The failed ones are named once more above
 * the closing line, a line each, for a reader who sees only the end of a long record.
 */
export default class ClosingLineReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const skipped: string[] = [];
    runner.on(EVENT_TEST_PENDING, (test: Mocha.Test) => skipped.push(test.fullTitle()));
    const failures: string[] = [];
    runner.on(EVENT_TEST_FAIL, (test: Mocha.Test, error: Error) => {
      const reason = String(error?.message ?? error).replace(/\s*\n\s*/g, " ⏎ ");
      failures.push(`failed: ${test.fullTitle()}: ${reason.slice(0, MOST_OF_REASON)}`);
    });
    // Spec registered its own end listener in super(), so this one runs after its summary.
    runner.once(EVENT_RUN_END, () => {
      const passed = this.stats.passes;
      const failed = this.stats.failures;
      if (skipped.length > 0 && process.env.CI === "true") {
        this.#failRun(`CI=true allows no skipped test: ${skipped.join("; ")}`, skipped.length);
      }
      if (passed + failed + skipped.length === 0) this.#failRun("no test ran: nothing matched", 1);
      for (const line of failures) Mocha.reporters.Base.consoleLog(line);
      Mocha.reporters.Base.consoleLog(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
      endAnyway(() => this.runner.failures);
    });
  }

  /** Mocha's exit code is the number of failures the runner counted when the run ended. */
  #failRun(reason: string, failures: number): void {
    this.runner.failures += failures;
    Mocha.reporters.Base.consoleLog(reason);
  }
}
