import assert from "node:assert/strict";
import { historiesOf, linesOf } from "./history-file.ts";
import { SmallHistory } from "./small-history.ts";

const chat = () => new SmallHistory().live(1_000, "ann-0", "bob-0").send(2_000, "ann-0", "one", 1, ["bob-0"]);

describe("History files", () => {
  it("give back what was written, one history after another", () => {
    const first = { name: "seed 1", history: chat().seen };
    const second = { name: "seed 2", history: chat().gone(3_000, "bob-0").seen };
    assert.deepEqual(historiesOf(linesOf(first) + linesOf(second)), [first, second]);
  });

  it("are put in order of time, whichever was written first, and need no name", () => {
    const { seen } = chat();
    const [ann, bob] = ["ann-0", "bob-0"].map((device) => seen.filter((one) => one.device !== device));
    const lines = [...(bob ?? []), ...(ann ?? [])].map((one) => JSON.stringify(one)).join("\n");
    const [read] = historiesOf(lines);
    assert.equal(read?.name, "");
    const times = read?.history.map(({ atMs }) => atMs) ?? [];
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
  });

  it("say which line is none of a history, and why", () => {
    const lines = linesOf({ name: "seed 1", history: chat().seen });
    assert.throws(() => historiesOf(`${lines}{`), /line 11 is no line of a history: it is not JSON/);
    assert.throws(() => historiesOf("7"), /line 1 .*no object/);
    assert.throws(() => historiesOf('{"type":"sang"}'), /line 1 .*its type is sang/);
    const line = '{"atMs":1,"device":"ann-0","user":"ann","type":"phase"}';
    assert.throws(() => historiesOf(line), /line 1 .*it has no phase/);
  });
});
