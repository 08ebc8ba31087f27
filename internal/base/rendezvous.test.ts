import assert from "node:assert/strict";
import { rendezvousOrder, rendezvousOwner } from "./rendezvous.ts";

const members = ["channel-0", "channel-1", "channel-2"].map((name) => ({ name }));
const keys = Array.from({ length: 3_000 }, (_, at) => `user/${at}`);

describe("Rendezvous", () => {
  it("spreads keys evenly over names that differ in one letter", () => {
    for (const { name } of members) {
      const own = keys.filter((key) => rendezvousOwner(members, key)?.name === name).length;
      assert.ok(own > 850 && own < 1_150, `${name} owns ${own} of 3,000`);
    }
  });

  it("moves only the keys of the member that goes, each to the next in its order", () => {
    const left = members.slice(1);
    for (const key of keys) {
      const [first, second] = rendezvousOrder(members, key);
      assert.equal(rendezvousOwner(members, key), first);
      assert.equal(rendezvousOwner(left, key), first === members[0] ? second : first);
    }
  });

  it("does not depend on the order in which members are listed", () => {
    const turned = [...members].reverse();
    for (const key of keys) {
      assert.equal(rendezvousOwner(turned, key), rendezvousOwner(members, key));
      assert.deepEqual(rendezvousOrder(turned, key), rendezvousOrder(members, key));
    }
  });

  it("knows nobody among none", () => {
    assert.equal(rendezvousOwner([], "user/ann"), undefined);
    assert.deepEqual(rendezvousOrder([], "user/ann"), []);
  });
});
