import assert from "node:assert/strict";
import type { ChannelLink, Link } from "../../../push/ports.ts";
import { SeededRandom, testSeed } from "../../fakes/time/seeded-random.ts";
import { GroupStorm } from "./group-storm.ts";
import type { StormVariant } from "./group-storm-services.ts";

/** Any user gets what has come, whatever member entry it names: nothing is held back, nothing read again. */
const forwardsOnArrival = (link: Link): Link => ({
  name: link.name,
  hint: (hint) => link.hint(hint),
  closed: () => link.closed(),
  deliver: (publication, topics) => {
    const { group } = publication;
    link.deliver(group ? { ...publication, group: { ...group, membersSeq: 0 } } : publication, topics);
  },
});

/** Says at once that a topic is subscribed to, so that members and Sync are read before it is. */
const registersLate = (attached: ChannelLink, pause: () => Promise<void>): ChannelLink => ({
  announce: (number) => attached.announce(number),
  subscribe: async (topic) => {
    void pause().then(() => attached.subscribe(topic));
  },
  unsubscribe: (topic) => attached.unsubscribe(topic),
  close: () => attached.close(),
});

async function storm(seed: number | string, variant: StormVariant = {}, steps = 600): Promise<GroupStorm> {
  const made = new GroupStorm({ random: new SeededRandom(seed), users: 50, groups: 8, steps, variant });
  try {
    await made.run();
    await made.check();
    return made;
  } finally {
    await made.services.close();
  }
}

describe("Groups in a storm of joins, leaves, removals, blocks and posts", function () {
  this.timeout(120_000);
  const seed = testSeed();

  before(() => console.log(`    HEDDLE_TEST_SEED=${seed}`));

  it("show every entry to those who may see it, and to nobody else", async () => {
    const { counts } = await storm(seed);
    console.log(`    ${JSON.stringify(counts)}`);
    for (const [what, times] of Object.entries(counts)) assert.ok(times > 0, `no ${what}`);
  });

  const broken: readonly (readonly [what: string, variant: StormVariant, found: RegExp])[] = [
    ["events are forwarded on arrival", { link: forwardsOnArrival }, /^leak: /],
    ["members are read before the topic is subscribed to", { attached: registersLate }, /^hole: /],
    ["members are judged outside the check", { isJudgedBefore: true }, /^judged: entry \d+ is by /],
    ["a block does not raise the epoch", { isEpochKept: true }, /^judged: .*blocked/],
  ];
  for (const [what, variant, found] of broken) {
    it(`fail where ${what}`, async () => {
      const seen: string[] = [];
      for (let at = 0; at < 12 && !seen.some((message) => found.test(message)); at++) {
        await storm(`${seed}/${at}`, variant).catch((error: Error) => seen.push(error.message.slice(0, 200)));
      }
      console.log("      ", seen.at(-1));
      assert.match(seen.at(-1) ?? "twelve storms found nothing", found, seen.join("\n"));
    });
  }
});
