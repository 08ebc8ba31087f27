import assert from "node:assert/strict";
import { ProgressView } from "./progress-view.ts";

/** What stands on a terminal of so many columns after all that was written. */
function onTerminal(written: string): string[] {
  const lines = [""];
  let at = 0;
  for (const part of written.replaceAll("\x1b", "ESC").split(/(\n|ESC\[\d+A\rESC\[J)/)) {
    const upBy = /^ESC\[(\d+)A/.exec(part)?.[1];
    if (upBy !== undefined) {
      at -= Number(upBy);
      lines.splice(at, lines.length, "");
    } else if (part === "\n") {
      at += 1;
      lines[at] ??= "";
    } else lines[at] += part;
  }
  return lines.filter((line) => line !== "");
}

describe("The progress of a mesh", () => {
  let nowMs: number;
  let written: string;
  const write = (text: string) => {
    written += text;
  };
  const view = (screen: { isTTY?: boolean; columns?: number }) =>
    new ProgressView({ ...screen, write }, () => nowMs);

  beforeEach(() => {
    nowMs = 0;
    written = "";
  });

  it("keeps what is through on a terminal, and writes what goes on anew below it", () => {
    const shown = view({ isTTY: true, columns: 80 });
    shown.show({ step: "etcd", text: "starting" });
    shown.show({ step: "HBase", text: "installing HBase 2.6.4" });
    nowMs = 1_500;
    shown.tick();
    assert.deepEqual(onTerminal(written), [
      "  etcd       starting … 1.5 s",
      "  HBase      installing HBase 2.6.4 … 1.5 s",
    ]);
    shown.show({ step: "etcd", text: "3 members", tookMs: 1_500 });
    nowMs = 12_000;
    shown.tick();
    assert.deepEqual(onTerminal(written), [
      "  etcd       3 members, 1.5 s",
      "  HBase      installing HBase 2.6.4 … 12 s",
    ]);
    shown.clear();
    assert.deepEqual(onTerminal(written), ["  etcd       3 members, 1.5 s"]);
  });

  it("wraps on no terminal, however narrow: a line that wraps cannot be taken away", () => {
    const shown = view({ isTTY: true, columns: 30 });
    shown.show({ step: "programs", text: "x".repeat(100) });
    nowMs = 200;
    shown.tick();
    const lines = onTerminal(written);
    assert.equal(lines.length, 1);
    assert.ok(lines.every((line) => line.length < 30));
  });

  it("writes plain lines into a pipe, of what goes on one in 5 s", () => {
    const shown = view({});
    shown.show({ step: "programs", text: "starting 13" });
    for (let ready = 1; ready < 13; ready += 1) {
      nowMs += 1_000;
      shown.show({ step: "programs", text: `${ready} of 13 are ready` });
      shown.tick();
    }
    shown.show({ step: "programs", text: "3 push, 2 message", tookMs: 12_000 });
    shown.clear();
    assert.equal(
      written,
      "  programs   starting 13 …\n  programs   5 of 13 are ready …\n  programs   10 of 13 are ready …\n" +
        "  programs   3 push, 2 message, 12 s\n",
    );
  });
});
