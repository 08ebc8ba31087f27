import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findStiffWords } from "./plain-words.ts";

const root = join(import.meta.dirname, "../..");
/** What people read here. The license is not ours to reword. */
const READ = ["*.ts", "*.tsx", "*.md", "*.proto", "*.py", "*.go", "*.java", "*.html", "*.yaml"];

describe("Plain words", () => {
  it("are all that is written here", () => {
    const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...READ];
    const paths = execFileSync("git", list, { cwd: root, encoding: "utf8" }).split("\0");
    const files = paths
      .filter((path) => path !== "" && !path.startsWith("internal/gen/") && existsSync(join(root, path)))
      .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
    assert.ok(files.length > 1_000, `${files.length} files read`);
    assert.equal(findStiffWords(files).join("\n"), "");
  });

  it("are asked for where others stand, by file and line", () => {
    const text = `// The user\n// to ${["who", "m"].join("")} it is sent.\n`;
    assert.deepEqual(findStiffWords([{ path: "a.ts", text }]), [
      `a.ts:2: "${["who", "m"].join("")}" is no plain English: name who acts`,
    ]);
  });
});
