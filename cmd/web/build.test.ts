import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { ALL_BYTES, buildPage, FIRST_BYTES } from "./build.ts";

describe("The built page", function () {
  this.timeout(20_000);
  const folder = mkdtempSync(join(tmpdir(), "heddle-build-"));
  const out = join(folder, "dist");
  after(() => rmSync(folder, { recursive: true }));

  it("stays within its budgets and leaves nothing half-built", async () => {
    const { first, all } = await buildPage(out);
    assert.ok(first > 20_000 && first <= FIRST_BYTES, `${first} bytes`);
    assert.ok(all > first && all <= ALL_BYTES, `${all} bytes`);
    const onDisk = readdirSync(join(out, "assets"))
      .filter((name) => name.endsWith(".js"))
      .map((name) => gzipSync(readFileSync(join(out, "assets", name)), { level: 9 }).length);
    assert.equal(
      onDisk.reduce((sum, bytes) => sum + bytes, 0),
      all,
    );
    assert.deepEqual(readdirSync(folder).sort(), [".cache", "dist"]);
    assert.deepEqual(readdirSync(join(folder, ".cache")), []);
  });

  it("has each message of the contract once, without validation rules or error details that nobody reads", () => {
    const scripts = readdirSync(join(out, "assets")).filter((name) => name.endsWith(".js"));
    const text = scripts.map((name) => readFileSync(join(out, "assets", name), "utf8")).join("");
    assert.doesNotMatch(text, /buf\.validate|validate\.proto|buf_validate|BadRequest/);
    assert.match(text, /ErrorInfo/);
  });

  it("asks nothing of other origins and runs no inline script", () => {
    const html = readFileSync(join(out, "index.html"), "utf8");
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:/);
  });
});
