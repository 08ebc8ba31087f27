import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { fromHex } from "../../../internal/base/ids.ts";
import {
  ClientWorld,
  settled,
  THREAD,
  wireEntry,
  wireRow,
} from "../../../internal/testing/worlds/client/client-world.ts";
import { PeopleOnScreen } from "./people-on-screen.ts";
import type { Screen } from "./screen.ts";

/** What a Screen would show. */
class SeenScreen {
  readonly isTerminal = true;
  readonly lines: string[] = [];
  shown = "";

  print(text: string) {
    const at = this.lines.push(stripVTControlCharacters(text)) - 1;
    return {
      replace: (fresh: string) => {
        this.lines[at] = stripVTControlCharacters(fresh);
      },
    };
  }

  status(text: string): void {
    this.shown = stripVTControlCharacters(text);
  }
}

describe("People on the screen of a terminal", () => {
  let world: ClientWorld;
  let screen: SeenScreen;
  let people: PeopleOnScreen;

  beforeEach(async () => {
    world = await new ClientWorld().live();
    screen = new SeenScreen();
    people = new PeopleOnScreen(world.client, screen as unknown as Screen);
    world.client.on((event) => people.takeEvent(event));
    const value = { threadId: wireRow(1).threadId, thread: wireRow(1) };
    world.transport.stream.hear({ case: "threadChanged", value }, { case: "entry", value: wireEntry(1) });
    await settled();
    await world.pass(300);
  });

  afterEach(async () => {
    people.close();
    await world.client.close();
  });

  const hear = async (status: number, lastSeenAtMs = 0n) => {
    const value = { userId: "bob", status, lastSeenAtMs };
    world.transport.stream.hear({ case: "presence", value });
    await settled();
  };

  it("are those of the list, whose lines change in their place", async () => {
    people.list(world.client.threads(), 3);
    await world.pass(150);
    assert.deepEqual(world.transport.stream.frames("watch").at(-1)?.userIds, ["bob"]);
    assert.doesNotMatch(screen.lines[0] ?? "", /online|last seen/);
    await hear(2);
    assert.match(screen.lines[0] ?? "", /1 {2}bob ● .* online$/);
    await hear(3, BigInt(Date.now() - 5 * 60_000));
    assert.match(screen.lines[0] ?? "", /1 {2}bob {3}.* last seen 5 min ago$/);
    assert.equal(screen.shown, "");
  });

  it("are the people one writes with, and nobody once that is over", async () => {
    people.conversation("bob", THREAD);
    await world.pass(150);
    await hear(2);
    assert.equal(screen.shown, "· bob ● online");
    const value = { threadId: fromHex(THREAD), userId: "bob", expiresAfterMs: 6_000 };
    world.transport.stream.hear({ case: "typing", value });
    await settled();
    assert.equal(screen.shown, "· bob is typing…");
    await world.pass(6_000);
    assert.equal(screen.shown, "· bob ● online");
    world.transport.stream.end();
    await settled();
    assert.equal(screen.shown, "", "not known without a connection");
    people.list([], 3);
    await world.pass(150);
    world.transport.stream.welcome("ann");
    await settled();
    assert.deepEqual(world.transport.stream.frames("watch"), []);
  });

  it("hear that one writes a message, and not of commands", async () => {
    people.typed("h");
    people.conversation("bob", THREAD);
    people.typed("/quit");
    people.typed(" ");
    assert.equal(world.transport.stream.frames("typing").length, 0);
    people.typed("h");
    assert.equal(world.transport.stream.frames("typing").length, 1);
  });
});
