import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { play } from "../append/append-steps.ts";
import { AppendWorld } from "../append/append-world.ts";
import { brokenAppends } from "../append/broken-appends.ts";
import { playBlocks } from "../group/block-steps.ts";
import { BlockWorld } from "../group/block-world.ts";
import { brokenBlocks, brokenGroups } from "../group/broken-groups.ts";
import { playGroup } from "../group/group-steps.ts";
import { GroupWorld } from "../group/group-world.ts";
import { HISTORIES, type HistoryFile, readHistory, type WrittenStep, writeHistory } from "./history-file.ts";

type Player = (
  bucketSize: number,
  variant: string | undefined,
  steps: readonly WrittenStep[],
) => Promise<void>;

/** How the histories of each world are played, sound or with one of its broken variants. */
const players: Readonly<Record<string, Player>> = {
  append: (size, variant, steps) =>
    play(new AppendWorld(size, variant ? brokenAppends[variant] : undefined), steps as never),
  blocks: (size, variant, steps) =>
    playBlocks(new BlockWorld(size, variant ? brokenBlocks[variant] : undefined), steps as never),
  group: (size, variant, steps) =>
    playGroup(new GroupWorld(size, variant ? brokenGroups[variant] : undefined), steps as never),
};

describe("Kept histories", () => {
  const names = readdirSync(HISTORIES).filter((name) => name.endsWith(".txt"));

  it("are there for every broken variant", () => {
    const broken = names.map((name) => read(name).breaks);
    for (const variant of [brokenAppends, brokenBlocks, brokenGroups].flatMap(Object.keys))
      assert.ok(broken.includes(variant), `no history shows ${variant}`);
  });

  for (const name of names) {
    const { world, bucketSize, breaks, steps } = read(name);
    const player = players[world] ?? assert.fail(`${name} is of no world: ${world}`);

    it(`break nothing any more: ${name}`, () => player(bucketSize, undefined, steps));
    if (breaks === undefined) continue;
    it(`break what they once broke, ${breaks}: ${name}`, async () => {
      await assert.rejects(player(bucketSize, breaks, steps), assert.AssertionError);
    });
  }

  it("read as they were written", () => {
    const history: HistoryFile = {
      world: "group",
      bucketSize: 2,
      breaks: "a newcomer not touched",
      steps: [
        { what: "ask again", change: 1, server: 0 } as WrittenStep,
        { what: "change", change: { kind: "add", userIds: ["bob"] }, server: 1 } as WrittenStep,
      ],
    };
    assert.deepEqual(readHistory(writeHistory(history)), history);
    assert.throws(() => readHistory("world: group\nbucket size: 2\n\nsend user=x\n"), /no step: send user=x/);
  });
});

/** Of the folder of kept histories. */
function read(name: string): HistoryFile {
  return readHistory(readFileSync(join(HISTORIES, name), "utf8"));
}
