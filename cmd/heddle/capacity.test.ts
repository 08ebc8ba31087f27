import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../internal/testing/trials/programs/heddle-process.ts";

/** bin/heddle with these words and no settings. */
function heddle(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(join(ROOT, "bin/heddle"), args, { env: { PATH: process.env.PATH } }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

describe("heddle capacity", function () {
  this.timeout("20s");

  it("prints what docs/capacity.md shows", async () => {
    const { code, stdout, stderr } = await heddle("capacity");
    assert.deepEqual([code, stderr], [0, ""]);
    const page = readFileSync(join(ROOT, "docs/capacity.md"), "utf8");
    assert.ok(page.includes(`$ bin/heddle capacity\n${stdout}\`\`\``));
  });

  it("prints JSON of what was asked for", async () => {
    const { stdout } = await heddle("capacity", "--json", "--users", "2M", "--reed-solomon");
    const { type, asked } = JSON.parse(stdout);
    assert.deepEqual([type, asked.users, asked.copies], ["capacity", 2_000_000, "reed-solomon"]);
  });

  it("says of bad input how to write it, and ends with code 2", async () => {
    const { code, stdout, stderr } = await heddle("capacity", "--users", "many", "--years", "x");
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^heddle: --users many: write a whole number .*\n {2}--years x: write a number/);
  });
});
