import assert from "node:assert/strict";
import { ClientWorld, settled } from "../../internal/testing/worlds/client/client-world.ts";

describe("Names in a client", () => {
  let world: ClientWorld;
  let names: Record<string, string>;
  let isAway: boolean;
  beforeEach(async () => {
    names = { bob: "Bob", cleo: "Cleo" };
    isAway = false;
    world = new ClientWorld();
    world.transport.answers.GetProfiles = ({ userIds }: { userIds: string[] }) => {
      if (isAway) throw new TypeError("away");
      return {
        profiles: userIds.map((userId) => ({ userId, displayName: names[userId] ?? "", pictureUrl: "" })),
      };
    };
    await world.live();
  });
  afterEach(() => world.client.close());

  const asked = () =>
    world.transport.requests<{ userIds: string[] }>("GetProfiles").map(({ userIds }) => userIds);
  const told = () =>
    world.events.flatMap((event) =>
      event.type === "profile" ? [`${event.profile.userId} ${event.profile.displayName}`] : [],
    );

  it("are asked for when they are shown, many at once, and told when they come", async () => {
    for (const userId of ["bob", "cleo", "bob", "dan"]) assert.equal(world.client.profile(userId), undefined);
    await world.pass(50);
    assert.deepEqual(asked(), [["bob", "cleo", "dan"]]);
    assert.deepEqual(told(), ["bob Bob", "cleo Cleo"]);
    assert.equal(world.client.profile("bob")?.displayName, "Bob");
    assert.equal(world.client.profile("dan")?.displayName, undefined);
    await world.pass(1_000);
    assert.equal(asked().length, 1, "what is known is not asked again");
  });

  it("are asked for again with each sync, and told only where they changed", async () => {
    world.client.profile("bob");
    world.client.profile("cleo");
    await world.pass(50);
    names.bob = "Robert";
    world.client.foreground();
    await settled();
    assert.deepEqual(asked().at(-1)?.toSorted(), ["bob", "cleo"]);
    assert.deepEqual(told(), ["bob Bob", "cleo Cleo", "bob Robert"]);
  });

  it("that could not be asked for come with the next sync", async () => {
    isAway = true;
    world.client.profile("bob");
    await world.pass(50);
    assert.deepEqual(told(), []);
    isAway = false;
    world.client.foreground();
    await settled();
    assert.deepEqual(told(), ["bob Bob"]);
  });

  it("are asked for a hundred at a time, and kept of a thousand users", async () => {
    const users = Array.from({ length: 1_050 }, (_, at) => `u${at}`);
    await world.client.profiles(users);
    assert.deepEqual(
      asked().map(({ length }) => length),
      [...Array.from({ length: 10 }, () => 100), 50],
    );
    world.client.foreground();
    await settled();
    assert.equal(asked().slice(11).flat().length, 1_000);
  });
});
