import assert from "node:assert/strict";
import { createLog } from "../base/log.ts";
import { StopStack } from "./stop-stack.ts";

describe("The stop stack", () => {
  const lines: string[] = [];
  const log = createLog({ level: "error", destination: { write: (line) => void lines.push(line) } });

  it("stops the last first, one after the other, once", async () => {
    const stopped: string[] = [];
    const stack = new StopStack(log);
    stack.add("store", () => void stopped.push("store"));
    stack.add("service", async () => {
      await new Promise(setImmediate);
      stopped.push("service");
    });
    await Promise.all([stack.unwind(), stack.unwind()]);
    assert.deepEqual(stopped, ["service", "store"]);
  });

  it("goes on behind one that fails, and says which", async () => {
    const stopped: string[] = [];
    const stack = new StopStack(log);
    stack.add("store", () => void stopped.push("store"));
    stack.add("listener", () => Promise.reject(new Error("stuck")));
    await stack.unwind();
    assert.deepEqual(stopped, ["store"]);
    assert.match(lines.join(), /"part":"listener"/);
  });
});
