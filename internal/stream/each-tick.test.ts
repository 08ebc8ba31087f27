import assert from "node:assert/strict";
import { ManualLoop } from "../testing/fakes/time/manual-loop.ts";
import { EachTick, eventLoopTick } from "./each-tick.ts";

describe("EachTick", () => {
  it("hands over what was added, in order, with one scheduled callback", () => {
    let scheduled = 0;
    const loop = new ManualLoop();
    const seen: number[] = [];
    const each = new EachTick<number>(
      (run) => {
        scheduled++;
        loop.tick(run);
      },
      (item) => seen.push(item),
    );
    each.add(1);
    each.add(2);
    assert.deepEqual(seen, []);
    loop.turn();
    assert.deepEqual([seen, scheduled], [[1, 2], 1]);
  });

  it("leaves what is added while it runs for the tick after", () => {
    const loop = new ManualLoop();
    const seen: number[] = [];
    const each = new EachTick<number>(loop.tick, (item) => {
      seen.push(item);
      if (item < 3) each.add(item + 1);
    });
    each.add(1);
    loop.turn();
    assert.deepEqual(seen, [1]);
    loop.turn();
    loop.turn();
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it("runs in the machine's event loop", async () => {
    await new Promise<void>((resolve) => {
      new EachTick<string>(eventLoopTick, () => resolve()).add("item");
    });
  });
});
