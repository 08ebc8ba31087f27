import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, HeddleError } from "../../base/heddle-error.ts";
import { ThreadService } from "../../gen/heddle/thread/v1/thread_service_pb.js";
import { HeddleProcess, ROOT } from "../trials/programs/heddle-process.ts";
import { badInput } from "./bad-input.ts";
import { Target, type Told } from "./bad-input-target.ts";
import { tableOf } from "./markdown-table.ts";

const errors = await readFile(join(ROOT, "docs/errors.md"), "utf8");
const rows = tableOf(errors, "Bad input");

describe("Bad input (docs/errors.md)", function () {
  this.timeout(30_000);
  let dataDir: string;
  let heddle: HeddleProcess;
  let target: Target;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "heddle-bad-input-"));
    heddle = await HeddleProcess.start(dataDir);
    target = await Target.open(heddle.addresses, dataDir);
  });
  after(async () => {
    target.close();
    await heddle.stop();
    await rm(dataDir, { recursive: true });
  });

  it("has a case for every row, and a row for every case", () => {
    assert.deepEqual(rows.map((row) => row.case).toSorted(), Object.keys(badInput).toSorted());
  });

  for (const row of rows) {
    it(`${row.case}: ${row.input} → ${row.code} / ${row.reason}`, async () => {
      const told = await badInput[row.case ?? ""]?.(target);
      assert.ok(told, "the program took it");
      assert.deepEqual(named(told), { code: row.code, reason: row.reason });
      assert.doesNotMatch(told.message, /\.ts|node:|at .*\(/, "a stack trace reached the client");
    });
  }

  it("leaves the program serving, without a fault in its log", async () => {
    await target.call(ThreadService.method.listThreads, {});
    assert.deepEqual(
      heddle.stderr.filter((line) => /"level":(50|60)|unhandled|at .*\.ts:/i.test(line)),
      [],
    );
  });
});

/** Code and reason, by their names in the table, of an error or a `refused`. */
function named(told: NonNullable<Told>): { code: string | undefined; reason: string } {
  if (told instanceof HeddleError) return { code: Code[told.code], reason: told.reasonName };
  return { code: Code[told.code], reason: told.errorInfo?.reason ?? "" };
}
