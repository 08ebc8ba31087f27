import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Code, ErrorReason } from "../../base/heddle-error.ts";
import { ROOT } from "../trials/programs/heddle-process.ts";
import { tableOf } from "./markdown-table.ts";

describe("The catalogue of errors (docs/errors.md)", () => {
  it("has every reason of the contract with the code that reason.proto names", async () => {
    const rows = tableOf(await readFile(join(ROOT, "docs/errors.md"), "utf8"), "Reasons");
    const proto = await readFile(join(ROOT, "proto/heddle/error/v1/reason.proto"), "utf8");
    const named = [...proto.matchAll(/\/\/ ([A-Z_]+): [^=]*?ERROR_REASON_([A-Z0-9_]+) = \d+;/g)];
    const contract = Object.fromEntries(named.map(([, code, reason]) => [reason, code]));
    assert.deepEqual(Object.fromEntries(rows.map(({ reason, code }) => [reason, code])), contract);
    const reasons = Object.values(ErrorReason).filter((value) => typeof value === "number" && value > 0);
    assert.equal(rows.length, reasons.length);
    for (const { code } of rows) assert.ok(code && code in Code, `${code} is no code`);
  });
});
