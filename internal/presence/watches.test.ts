import assert from "node:assert/strict";
import { storeUnavailable } from "../base/heddle-error.ts";
import type { ShownPresence } from "../base/presence.ts";
import type { LinkedWatcher, Privacy } from "./ports.ts";
import { Watches } from "./watches.ts";

const ONLINE: ShownPresence = { status: "online", lastSeenAtMs: 0 };

/** Who may see which user, in the test's hand: pairs that may, and answers that are kept back. */
class HeldPrivacy implements Privacy {
  readonly pairs = new Set<string>();
  isAway = false;
  isHolding = false;
  #held: (() => void)[] = [];

  /** Judges at once, and answers when `release` is called. */
  async maySee(viewer: string, user: string): Promise<boolean> {
    if (this.isAway) throw storeUnavailable("thread");
    const may = this.pairs.has(`${viewer} ${user}`);
    if (this.isHolding) await new Promise<void>((resolve) => this.#held.push(resolve));
    return may;
  }

  async release(): Promise<void> {
    this.isHolding = false;
    for (const answer of this.#held.splice(0)) answer();
    await settled();
  }
}

const isSure = () => true;

/** What of Watches these tests use, so that a broken variant can stand in for it. */
type Watching = Pick<Watches, "watch" | "blockChanged" | "recheckAll" | "checkAgain">;

/** Checks, and only then registers: what changes in between is applied to nothing. */
class CheckThenRegister implements Watching {
  readonly #inner: Watches;
  readonly #privacy: Privacy;

  constructor(privacy: Privacy) {
    const all = { maySee: async () => true };
    this.#inner = new Watches({ privacy: all, presenceOf: () => ONLINE, isSure });
    this.#privacy = privacy;
  }

  async watch(watcher: LinkedWatcher, userIds: readonly string[]): Promise<void> {
    const may = await Promise.all(userIds.map((user) => this.#privacy.maySee(watcher.viewerId, user)));
    await this.#inner.watch(
      watcher,
      userIds.filter((_, at) => may[at]),
    );
  }

  blockChanged = (a: string, b: string) => this.#inner.blockChanged(a, b);
  recheckAll = (userIds: readonly string[]) => this.#inner.recheckAll(userIds);
  checkAgain = () => this.#inner.checkAgain();
}

/** Watches, a watching session per user, and what each was told. */
function world(make: (privacy: Privacy) => Watching = intact) {
  const privacy = new HeldPrivacy();
  const watches = make(privacy);
  const told: string[] = [];
  const link = {
    name: "push",
    told: (userId: string, { status }: ShownPresence, sessions: readonly string[]) =>
      void told.push(`${sessions.join(", ")}: ${userId} ${status}`),
    closed: () => {},
  };
  const watch = (viewerId: string, ...userIds: string[]) =>
    watches.watch({ session: viewerId, viewerId, link }, userIds);
  const allow = (...pairs: string[]) => {
    for (const pair of pairs) privacy.pairs.add(pair);
  };
  return { privacy, watches, told, watch, allow };
}

function intact(privacy: Privacy): Watches {
  return new Watches({ privacy, presenceOf: () => ONLINE, isSure });
}

/** A block that is answered while a watch is being checked. Throws if it leaks. */
async function blockDuringCheck(make: (privacy: Privacy) => Watching): Promise<void> {
  const { privacy, watches, told, watch, allow } = world(make);
  allow("ann bob");
  privacy.isHolding = true;
  const watching = watch("ann", "bob");
  await settled();
  privacy.pairs.delete("ann bob");
  watches.blockChanged("bob", "ann");
  await privacy.release();
  await watching;
  assert.deepEqual(told, ["ann: bob hidden"]);
}

describe("Watches", () => {
  it("open none behind the back of a block", () => blockDuringCheck(intact));

  it("would, if they were checked and then registered", () =>
    assert.rejects(
      blockDuringCheck((privacy) => new CheckThenRegister(privacy)),
      assert.AssertionError,
    ));

  it("are shut at once by a block, in both directions, and no others are", async () => {
    const { privacy, watches, told, watch, allow } = world();
    allow("ann bob", "bob ann", "ann cay", "cay bob");
    await Promise.all([watch("ann", "bob", "cay"), watch("bob", "ann"), watch("cay", "bob")]);
    told.length = 0;
    privacy.isHolding = true;
    watches.blockChanged("ann", "bob");
    assert.deepEqual(told, ["ann: bob hidden", "bob: ann hidden"]);
    await privacy.release();
  });

  it("open again when a block is taken back", async () => {
    const { privacy, watches, told, watch, allow } = world();
    allow("ann bob");
    await watch("ann", "bob");
    privacy.pairs.clear();
    watches.blockChanged("ann", "bob");
    await settled();
    allow("ann bob");
    watches.blockChanged("ann", "bob");
    await settled();
    assert.deepEqual(told, ["ann: bob online", "ann: bob hidden", "ann: bob online"]);
  });

  it("by and of one who left are checked before the leave is confirmed", async () => {
    const { privacy, watches, told, watch, allow } = world();
    allow("ann bob", "bob ann", "cay bob");
    await Promise.all([watch("ann", "bob"), watch("bob", "ann"), watch("cay", "bob")]);
    told.length = 0;
    privacy.pairs.delete("ann bob");
    privacy.pairs.delete("bob ann");
    await watches.recheckAll(["bob"]);
    assert.deepEqual(told.sort(), ["ann: bob hidden", "bob: ann hidden"]); // cay shares another thread with bob.
  });

  it("that are checked already are checked again before a leave is confirmed", async () => {
    const { privacy, watches, told, watch, allow } = world();
    allow("ann bob");
    await watch("ann", "bob");
    privacy.isHolding = true;
    const early = watches.recheckAll(["bob"]); // Its check sees ann and bob in one group.
    await settled();
    privacy.pairs.clear();
    const leaving = watches.recheckAll(["ann"]).then(() => told.push("confirmed"));
    await privacy.release();
    await Promise.all([early, leaving]);
    assert.deepEqual(told, ["ann: bob online", "ann: bob hidden", "confirmed"]);
  });

  it("are checked again where a leave comes in the moment in which a check ends", async () => {
    let may = true;
    let atTheEnd: (() => void) | undefined;
    const answered = () => {
      const answer = Promise.resolve(may);
      // Runs after who waits for the answer has gone on, and before who waits for that one.
      queueMicrotask(() => void answer.then(() => atTheEnd?.()));
      return answer;
    };
    const { watches, told, watch } = world(
      () => new Watches({ privacy: { maySee: answered }, presenceOf: () => ONLINE, isSure }),
    );
    await watch("ann", "bob");
    const confirmed = new Promise<void>((resolve, reject) => {
      atTheEnd = () => {
        atTheEnd = undefined;
        may = false;
        watches.recheckAll(["bob"]).then(resolve, reject);
      };
    });
    await watches.recheckAll(["bob"]);
    await confirmed;
    assert.deepEqual(told, ["ann: bob online", "ann: bob hidden"]);
  });

  it("open for those who come to share a group", async () => {
    const { watches, told, watch, allow } = world();
    await watch("ann", "bob");
    allow("ann bob");
    await watches.recheckAll(["ann"]);
    await settled();
    assert.deepEqual(told, ["ann: bob hidden", "ann: bob online"]);
  });

  it("are mute while nobody can say who may see which user, and open when somebody can", async () => {
    const { privacy, watches, told, watch, allow } = world();
    allow("ann bob");
    await watch("ann", "bob");
    privacy.isAway = true;
    await watches.recheckAll(["bob"]); // Confirmed: nothing is told any more.
    assert.deepEqual(told, ["ann: bob online", "ann: bob hidden"]);
    privacy.isAway = false;
    watches.checkAgain();
    await settled();
    assert.deepEqual(told.slice(2), ["ann: bob online"]);
  });
});

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
