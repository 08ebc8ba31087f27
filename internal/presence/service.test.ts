import assert from "node:assert/strict";
import type { ShownPresence } from "../base/presence.ts";
import { rendezvousOwner } from "../base/rendezvous.ts";
import type { Member } from "../base/ring.ts";
import { directThreadId, participants } from "../base/thread-id.ts";
import { PresenceStatus, Visibility } from "../gen/heddle/presence/v1/presence_pb.js";
import { SqliteThreadStore } from "../store/sqlite/sqlite-thread-store.ts";
import { FakeRing } from "../testing/fakes/neighbours/fake-ring.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import { Directory } from "../thread/directory.ts";
import { ASK_MS, VISIBILITY_KEPT_MS } from "./limits.ts";
import type { Place } from "./ports.ts";
import { PresenceService } from "./service.ts";
import { Sight } from "./sight.ts";
import { solePlace } from "./sole-place.ts";
import { Visibilities } from "./visibilities.ts";

const ALWAYS = 3_600_000;

/** An instance over a real store, in which ann shares a thread with bob; cay stands alone. All are there. */
async function world(changes: Partial<Place> = {}) {
  const clock = new FakeClock();
  const store = new SqliteThreadStore({ path: ":memory:", clock });
  await store.createDirect(directThreadId("ann", "bob"), participants("ann", "bob"));
  const visibilities = new Visibilities(store);
  const privacy = new Sight(new Directory(store), visibilities, "shared-thread");
  const ring = new FakeRing(["presence"]);
  const pushServers = new FakeRing(["push"]);
  const place: Place = { ...solePlace("push"), ring, registered: ring, pushServers, ...changes };
  const service = new PresenceService({ clock, place, visibilities, privacy });
  const link = service.attach({ name: "push", told: () => {}, closed: () => {} });
  const ups = ["ann", "bob", "cay"].map((userId) => ({ name: userId, userId, ageMs: ALWAYS }));
  await link.report({ ring: ["presence"], ups, downs: [] });
  const list = async (viewer: string, userIds: readonly string[]) => {
    const request = { userIds: [...userIds] } as never;
    const { presences = [] } = await service.handlers.listPresence(request, { caller: { userId: viewer } });
    return presences.map(({ userId, status }) => [userId, status]);
  };
  const set = (userId: string, visibility: Visibility) =>
    service.handlers.setVisibility({ visibility } as never, { caller: { userId } });
  const get = async (userId: string) =>
    (await service.handlers.getVisibility({} as never, { caller: { userId } })).visibility;
  return { clock, store, service, link, list, set, get, privacy, ring, pushServers };
}

const GROUP = {
  threadId: new Uint8Array(16),
  seq: 1,
  ordinal: 0,
  previousSeq: 0,
  createdAtMs: 0,
  sender: "ann",
  requestId: new Uint8Array(16),
  name: "Group",
  added: [],
  removed: [],
  changed: [],
  memberCount: 0,
  isLarge: false,
};

function member(userId: string) {
  return { userId, role: "member" } as const;
}

type Forbid = (store: SqliteThreadStore, service: PresenceService) => Promise<string[]>;

/** What forbids somebody, as the thread service does it: stored, then told. Resolves to the users that ann may see then. */
const forbidden: Record<string, Forbid> = {
  "blocked the caller": async (store, service) => {
    await store.setBlocked(directThreadId("ann", "bob"), { ownerId: "bob", otherUserId: "ann" }, true);
    await service.blockChanged("bob", "ann");
    return ["cay"];
  },
  "left the group": async (store, service) => {
    await store.project({ ...GROUP, seq: 2, previousSeq: 1, removed: ["cay"], memberCount: 1 }, 0);
    await service.membersChanged(["cay"]);
    return ["bob"];
  },
  "the caller shares no group with any more": async (store, service) => {
    await store.project({ ...GROUP, seq: 2, previousSeq: 1, removed: ["ann"], memberCount: 1 }, 0);
    await service.membersChanged(["ann"]);
    return ["bob"];
  },
};

describe("PresenceService", () => {
  it("lists, in the order asked, those who share a thread with the caller and nobody else", async () => {
    const { list } = await world();
    assert.deepEqual(await list("ann", ["cay", "bob", "ann", "nobody"]), [["bob", PresenceStatus.ONLINE]]);
    assert.deepEqual(await list("cay", ["ann", "bob"]), []);
  });

  it("lists nobody who hides, from before SetVisibility is answered, stored for ever", async () => {
    const { list, set, get, store } = await world();
    assert.equal(await get("bob"), Visibility.SHARED);
    await set("bob", Visibility.NOBODY);
    assert.deepEqual(await list("ann", ["bob"]), []);
    assert.equal(await get("bob"), Visibility.NOBODY);
    assert.equal(await store.readVisibility("bob"), "nobody");
    await set("bob", Visibility.SHARED);
    assert.deepEqual(await list("ann", ["bob"]), [["bob", PresenceStatus.ONLINE]]);
  });

  it("leaves out of a list a user who hid while others in it were checked", async () => {
    const { list, set, privacy } = await world();
    const maySee = privacy.maySee.bind(privacy);
    let release = () => {};
    privacy.maySee = async (viewer, user) => {
      const may = await maySee(viewer, user);
      if (user === "cay") await new Promise<void>((resolve) => (release = resolve));
      return may;
    };
    const listing = list("ann", ["bob", "cay"]);
    await new Promise((resolve) => setImmediate(resolve));
    await set("bob", Visibility.NOBODY);
    release();
    assert.deepEqual(await listing, []);
  });

  it("lists nobody who has a block with the caller, in either direction", async () => {
    const { list, store, service } = await world();
    const block = { ownerId: "bob", otherUserId: "ann" };
    await store.setBlocked(directThreadId("ann", "bob"), block, true);
    await service.blockChanged("bob", "ann");
    assert.deepEqual([await list("ann", ["bob"]), await list("bob", ["ann"])], [[], []]);
    await store.setBlocked(directThreadId("ann", "bob"), block, false);
    assert.deepEqual(await list("ann", ["bob"]), [["bob", PresenceStatus.ONLINE]]);
  });

  it("lists members of the caller's groups while both are in one", async () => {
    const { list, store } = await world();
    const group = { ...GROUP, added: [member("ann"), member("cay")], memberCount: 2 };
    await store.project(group, 0);
    assert.deepEqual(await list("cay", ["ann", "bob"]), [["ann", PresenceStatus.ONLINE]]);
    await store.project({ ...GROUP, seq: 2, previousSeq: 1, removed: ["cay"], memberCount: 1 }, 0);
    assert.deepEqual([await list("cay", ["ann"]), await list("ann", ["cay"])], [[], []]);
  });

  for (const [what, forbid] of Object.entries(forbidden)) {
    it(`leaves out of a list a user that ${what} while others in it were checked`, async () => {
      const { list, store, service, privacy } = await world();
      await store.project({ ...GROUP, added: [member("ann"), member("cay")], memberCount: 2 }, 0);
      const maySee = privacy.maySee.bind(privacy);
      let isHeld = true;
      let release = () => {};
      privacy.maySee = async (viewer, user) => {
        const may = await maySee(viewer, user);
        if (user === "nobody" && isHeld) await new Promise<void>((resolve) => (release = resolve));
        return may;
      };
      const listing = list("ann", ["bob", "cay", "nobody"]);
      await new Promise((resolve) => setImmediate(resolve));
      const left = await forbid(store, service);
      isHeld = false;
      release();
      assert.deepEqual(
        (await listing).map(([userId]) => userId),
        left,
      );
    });
  }

  it("knows nothing of users that it does not own, and of new ones not until it has learned", async () => {
    const { service, list, clock, ring } = await world();
    ring.set(["other"]);
    assert.deepEqual(await list("ann", ["bob"]), [["bob", PresenceStatus.UNKNOWN]]);
    assert.deepEqual(await service.presencesOf(["bob"]), new Map());
    ring.set(["presence"]);
    assert.deepEqual(await list("ann", ["bob"]), [["bob", PresenceStatus.UNKNOWN]]);
    clock.advance(20_000);
    assert.deepEqual(await list("ann", ["bob"]), [["bob", PresenceStatus.ONLINE]]);
  });

  it("takes nobody for offline while the push servers are not loaded", async () => {
    for (const state of ["known", "not_loaded"] as const) {
      const pushServers = new FakeRing(state === "known" ? [] : undefined);
      const ring = new FakeRing(["other"]);
      const { list, clock } = await world({ pushServers, ring });
      ring.set(["presence"]);
      clock.advance(60_000);
      const shown = state === "known" ? PresenceStatus.OFFLINE : PresenceStatus.UNKNOWN;
      assert.deepEqual(await list("ann", ["bob"]), [["bob", shown]], state);
      pushServers.set([]);
      clock.advance(500);
      assert.deepEqual(await list("ann", ["bob"]), [["bob", PresenceStatus.OFFLINE]], state);
    }
  });

  it("has not learned by a digest of a push server that has another ring", async () => {
    const { list, link, ring } = await world();
    const digest = (...names: string[]) => link.report({ ring: names, ups: [], downs: [] });
    ring.set(["other", "presence"]);
    ring.set(["presence"]); // The other one has died: its users are ours, and the push server has not heard of it.
    assert.equal(rendezvousOwner([{ name: "other" }, { name: "presence" }], "bob")?.name, "other");
    await digest("other", "presence");
    assert.deepEqual(await list("ann", ["bob"]), [["bob", PresenceStatus.UNKNOWN]]);
    await digest("presence");
    assert.deepEqual(await list("ann", ["bob"]), [["bob", PresenceStatus.ONLINE]]);
  });

  it("lists what the owners say, and as unknown those whose owner does not answer, or is not known", async () => {
    const answers: Record<string, () => Promise<ReadonlyMap<string, ShownPresence>>> = {
      b: async () => new Map([["bob", { status: "online", lastSeenAtMs: 0 }]]),
      c: () => Promise.reject(new Error("away")),
      d: () => new Promise(() => {}),
      e: async () => new Map(),
    };
    const instance = ({ name }: Member) => ({ presencesOf: answers[name] }) as never;
    for (const owner of [...Object.keys(answers), undefined]) {
      const ring = new FakeRing(owner === undefined ? undefined : [owner]);
      const { list, clock } = await world({ ring, instance });
      const listing = list("ann", ["bob", "cay"]);
      await quiet();
      clock.advance(ASK_MS);
      const status = owner === "b" ? PresenceStatus.ONLINE : PresenceStatus.UNKNOWN;
      assert.deepEqual(await listing, [["bob", status]], String(owner));
    }
  });

  it("says offline when leases run out, and last seen when the session was last named", async () => {
    const { service, list, clock } = await world();
    const namedAtMs = clock.nowMs();
    clock.advance(34_500);
    assert.deepEqual(await list("ann", ["bob"]), [["bob", PresenceStatus.ONLINE]]);
    clock.advance(1_000);
    const call = { caller: { userId: "ann" } };
    const { presences } = await service.handlers.listPresence({ userIds: ["bob"] } as never, call);
    assert.deepEqual(
      presences?.map(({ status, lastSeenAtMs }) => [status, lastSeenAtMs]),
      [[PresenceStatus.OFFLINE, BigInt(namedAtMs)]],
    );
    assert.equal(service.users, 0);
    assert.equal(service.sessions, 0);
  });
});

describe("Visibilities", () => {
  it("find what was set, not what a read that began before it brings", async () => {
    const reads: ((visibility: "shared" | "nobody") => void)[] = [];
    const visibilities = new Visibilities({
      readVisibility: () => new Promise((resolve) => reads.push(resolve)),
      setVisibility: async () => {},
    });
    const early = visibilities.readVisibility("ann");
    await visibilities.setVisibility("ann", "nobody");
    reads[0]?.("shared");
    assert.equal(await early, "shared");
    const late = visibilities.readVisibility("ann");
    reads[1]?.("nobody");
    assert.equal(await late, "nobody");
    assert.equal(visibilities.known("ann"), "nobody");
  });

  it("are remembered for as long as they may be, from when the read began, and not once they are told to be old", async () => {
    const clock = new FakeClock();
    let stored: "shared" | "nobody" = "shared";
    const memory = { clock, keptMs: () => VISIBILITY_KEPT_MS };
    const store = {
      readVisibility: async () => {
        const read = stored;
        clock.advance(300);
        return read;
      },
      setVisibility: async () => {},
    };
    const visibilities = new Visibilities(store, memory);
    assert.equal(await visibilities.readVisibility("ann"), "shared");
    stored = "nobody";
    clock.advance(VISIBILITY_KEPT_MS - 301);
    assert.equal(visibilities.known("ann"), "shared");
    clock.advance(1);
    assert.equal(visibilities.known("ann"), undefined);
    assert.equal(await visibilities.readVisibility("ann"), "nobody");
    visibilities.forget("ann");
    assert.equal(visibilities.known("ann"), undefined);
  });

  it("are read anew after a set that failed: either may be stored", async () => {
    const visibilities = new Visibilities({
      readVisibility: async () => "nobody",
      setVisibility: () => Promise.reject(new Error("away")),
    });
    await assert.rejects(visibilities.setVisibility("ann", "nobody"));
    assert.equal(visibilities.known("ann"), undefined);
    assert.equal(await visibilities.readVisibility("ann"), "nobody");
    assert.equal(visibilities.known("ann"), "nobody");
  });
});
