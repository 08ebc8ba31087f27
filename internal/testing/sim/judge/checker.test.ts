import assert from "node:assert/strict";
import { breachesOf } from "./checker.ts";
import type { Seen, SeenEntry } from "./history.ts";
import { DIRECT, entryOf, GROUP, QUIET_MS, SmallHistory } from "./small-history.ts";

const BOTH = ["ann-0", "bob-0"];
const LOG = [entryOf(1, "ann", "one"), entryOf(2, "bob", "two"), entryOf(3, "ann", "three")];

/** Ann and bob, who chat, and for both all that was promised happens. */
function chat(): SmallHistory {
  return new SmallHistory()
    .live(1_000, "ann-0", "bob-0", "bob-1")
    .send(10_000, "ann-0", "one", 1, ["bob-0", "bob-1"])
    .send(20_000, "bob-0", "two", 2, ["ann-0", "bob-1"])
    .send(30_000, "ann-0", "three", 3, ["bob-0", "bob-1"]);
}

const ended = (log: readonly SeenEntry[] = LOG) => chat().end(60_000, log, [...BOTH, "bob-1"]);

/** The history with other lines in the place of some; none: left out. */
function replaced(history: SmallHistory, swap: (seen: Seen) => Seen | undefined): Seen[] {
  return history.seen.flatMap((seen) => swap(seen) ?? []);
}

const isEntry = (seen: Seen, device: string, seq: number) =>
  seen.type === "entry" && seen.device === device && seen.entry.seq === seq;

/** One breach of this kind, and of no other. */
function breaks(history: SmallHistory | readonly Seen[], kind: RegExp): void {
  const breaches = breachesOf("seen" in history ? history.seen : history);
  assert.ok(breaches.length > 0, "no breach was found");
  for (const breach of breaches) assert.match(breach, kind);
}

/** Bob is on ann's screen, and both have chatted, and all is well for long. */
function watched(): SmallHistory {
  return chat()
    .tell(31_000, "ann-0", { type: "watch", of: ["bob"] })
    .tell(31_100, "ann-0", { type: "presence", of: "bob", status: "online" });
}

/** A line long after, at which every screen is looked at. */
const later = (history: SmallHistory, atMs: number) =>
  history.tell(atMs, "", { type: "stores", serve: true }).end(atMs + 1, LOG, [...BOTH, "bob-1"]);

describe("The judge of histories", () => {
  it("finds nothing in a history that keeps all promises", () => {
    assert.deepEqual(breachesOf(ended().seen), []);
    assert.deepEqual(breachesOf(later(watched(), 2 * QUIET_MS).seen), []);
  });

  describe("promises 1 to 7: what is in the log", () => {
    it("1: an acknowledged text that is not there", () => {
      breaks(ended(LOG.slice(0, 2)), /^1: three was acknowledged/);
    });

    it("2: an entry that is given before the one below it", () => {
      const swapped = replaced(chat().end(60_000, LOG, [...BOTH, "bob-1"]), (seen) => {
        if (seen.type !== "entry" || seen.device !== "bob-0" || seen.entry.seq === 1) return seen;
        return { ...seen, entry: LOG[seen.entry.seq === 2 ? 2 : 1] as SeenEntry };
      });
      breaks(swapped, /^2\/5: bob-0 was given/);
    });

    it("3: a text that is there twice", () => {
      breaks(ended([...LOG, entryOf(4, "ann", "one")]), /^3: one is there twice/);
    });

    it("4: a text that was said to have failed, and one of which nothing is known", () => {
      const failed = replaced(ended(), (seen) =>
        seen.type === "sent" && seen.text === "three" ? { ...seen, type: "failed" } : seen,
      );
      breaks(failed, /^4: three was said to have failed/);
      breaks(ended().tell(61_000, "ann-0", { type: "outbox", texts: ["four"] }), /^4: what became of four/);
    });

    it("5: an entry that is left out, one that is held by nobody who was connected, and a head that is behind", () => {
      breaks(
        replaced(ended(), (seen) => (isEntry(seen, "bob-0", 2) ? undefined : seen)),
        /^2\/5: bob-0/,
      );
      const calm = (seq: number) => ({ type: "calm", heads: { [DIRECT]: seq } }) as const;
      breaks(ended().tell(70_000, "bob-0", calm(2)), /^5: bob-0 stood at 2 .* of 3/);
      const behind = replaced(ended(), (seen) =>
        seen.type === "end" && seen.device === "bob-1"
          ? { ...seen, entries: LOG.slice(0, 2), headSeq: 2 }
          : seen,
      );
      breaks(behind, /^5: bob-1 knows .* up to 2/);
    });

    it("6: other bytes on another device, and an entry that a stranger sees", () => {
      const other = replaced(ended(), (seen) =>
        isEntry(seen, "bob-1", 2) && seen.type === "entry"
          ? { ...seen, entry: { ...seen.entry, said: "too" } }
          : seen,
      );
      breaks(other, /^6: .* is .* for/);
      const stranger = ended()
        .live(1_000, "eve-0")
        .tell(40_000, "eve-0", { type: "entry", thread: DIRECT, entry: LOG[0] as SeenEntry });
      breaks(stranger, /^6: eve-0 saw .*stranger/);
    });

    it("6: an entry of a group before a member came, and after it went", () => {
      const log = [
        entryOf(1, "ann", "[member_change +ann +bob]", 0),
        entryOf(2, "ann", "hello", 1),
        entryOf(3, "ann", "[member_change +cid -bob]", 1),
        entryOf(4, "ann", "bye", 2),
      ];
      const seesUpTo = (device: string, seqs: readonly number[]) => {
        const history = new SmallHistory().live(1_000, "ann-0", device);
        for (const entry of log) history.tell(10_000, "ann-0", { type: "entry", thread: GROUP, entry });
        for (const seq of seqs)
          history.tell(10_000, device, { type: "entry", thread: GROUP, entry: log[seq - 1] as SeenEntry });
        return history;
      };
      assert.deepEqual(breachesOf(seesUpTo("bob-0", [1, 2, 3]).seen), []);
      assert.deepEqual(breachesOf(seesUpTo("cid-0", [3, 4]).seen), []);
      breaks(seesUpTo("bob-0", [1, 2, 3, 4]), /^6: bob-0 saw .*\/4/);
      breaks(seesUpTo("cid-0", [2, 3, 4]), /^6: cid-0 saw .*\/2/);
    });

    it("7: a place that is acknowledged for two texts", () => {
      const sent = { type: "sent", thread: DIRECT, clientId: "id other", seq: 3, text: "other" } as const;
      const breaches = breachesOf(ended().tell(50_000, "bob-1", sent).seen);
      assert.match(breaches.join("\n"), /^7: .*\/3 was acknowledged for id other, and for id three/m);
    });
  });

  it("finds a send that waits too long, unless its device stood still", () => {
    const slow = (history: SmallHistory) => {
      const four = entryOf(4, "ann", "four");
      history.tell(40_000, "ann-0", { type: "write", thread: DIRECT, clientId: "id four", text: "four" });
      const sent = { type: "sent", thread: DIRECT, clientId: "id four", seq: 4, text: "four" } as const;
      history
        .tell(54_000, "ann-0", sent)
        .tell(54_000, "ann-0", { type: "entry", thread: DIRECT, entry: four });
      history.seen.sort((a, b) => a.atMs - b.atMs);
      return history.end(90_000, [...LOG, four], [...BOTH, "bob-1"]);
    };
    breaks(slow(chat()), /^stall: ann-0 had no answer to four of 40000 for 14000 ms/);
    const pause = (atMs: number) =>
      slow(chat().tell(atMs, "ann-0", { type: "trouble", what: "pause device", forMs: 20_000 }));
    assert.deepEqual(breachesOf(pause(41_000).seen), []);
    assert.deepEqual(breachesOf(pause(39_000).seen), []);
    const lost = (phase: string) => slow(chat().tell(41_000, "ann-0", { type: "phase", phase }));
    breaks(lost("offline"), /^stall: ann-0 had no answer to four/);
    assert.deepEqual(breachesOf(lost("crashed").seen), []);
  });

  it("counts what is unread, keeps what was read, and lets no position go back", () => {
    breaks(
      chat().end(60_000, LOG, ["ann-0"], { readSeq: 1, unread: 0 }),
      /^unread: ann-0 shows 0 in .*, and 1 are/,
    );
    const read = chat()
      .tell(40_000, "bob-1", { type: "read", thread: DIRECT, seq: 3 })
      .end(60_000, LOG, ["bob-0", "bob-1"], { readSeq: 2, unread: 1 });
    breaks(read, /^unread: bob-[01] has read .* up to 2, of 3/);
    const changed = [...LOG, entryOf(4, "bob", "[member_change +cid]", 3)];
    const noNews = chat().end(60_000, changed, ["bob-0"], { readSeq: 3, unread: 0 });
    noNews.end(60_000, changed, ["bob-1"], { readSeq: 4, unread: 0 });
    assert.deepEqual(breachesOf(noNews.seen), []);
    const receipt = (delivered: number, to: number) =>
      ({ type: "receipt", thread: DIRECT, of: "bob", delivered, read: to }) as const;
    const told = () => ended().tell(41_000, "ann-0", receipt(3, 2));
    assert.deepEqual(breachesOf(told().tell(42_000, "ann-0", receipt(3, 3)).seen), []);
    breaks(
      told().tell(42_000, "ann-0", receipt(3, 1)),
      /^receipt: ann-0 was told that bob went back to 3\/1/,
    );
    breaks(told().tell(42_000, "ann-0", receipt(2, 2)), /^receipt: ann-0/);
    const entry = entryOf(4, "bob", "[member_change +cid -bob]", 3);
    const cameBack = told().tell(42_000, "ann-0", { type: "entry", thread: DIRECT, entry });
    assert.deepEqual(breachesOf(cameBack.tell(43_000, "ann-0", receipt(2, 2)).seen), []);
    assert.deepEqual(breachesOf(told().live(42_000, "ann-0").tell(43_000, "ann-0", receipt(2, 2)).seen), []);
  });

  describe("promise 8: nobody offline is pushed to", () => {
    const sent = (isOffline: boolean) =>
      ({
        type: "sent",
        thread: DIRECT,
        clientId: "id one",
        seq: 1,
        text: "one",
        to: "bob",
        isOffline,
      }) as const;

    it("a hand-off that finds somebody who has had no session for long, or not one who is there", () => {
      const away = () => chat().gone(40_000, "bob-0", "bob-1");
      const atMs = 2 * QUIET_MS;
      assert.deepEqual(breachesOf(later(away().tell(atMs, "ann-0", sent(true)), atMs + 1).seen), []);
      breaks(later(away().tell(atMs, "ann-0", sent(false)), atMs + 1), /^8: one of ann-0 was pushed to bob/);
      assert.deepEqual(breachesOf(later(chat().tell(atMs, "ann-0", sent(false)), atMs + 1).seen), []);
      breaks(
        later(chat().tell(atMs, "ann-0", sent(true)), atMs + 1),
        /^8: .* pushed to nobody, and bob is there/,
      );
      const ill = { type: "trouble", what: "registry away", forMs: QUIET_MS } as const;
      const excused = chat()
        .tell(atMs - 50_000, "", ill)
        .tell(atMs, "ann-0", sent(true));
      assert.deepEqual(breachesOf(later(excused, atMs + 1).seen), []);
    });

    it("a device that was signed out and is told on", () => {
      const out = () => chat().change(QUIET_MS, "bob-0", "sign out", "bob-1");
      const told = { type: "presence", of: "ann", status: "unknown" } as const;
      const end = (history: SmallHistory) => history.end(2 * QUIET_MS, LOG, BOTH);
      assert.deepEqual(breachesOf(end(out().tell(QUIET_MS + 5_000, "bob-1", told)).seen), []);
      breaks(end(out().tell(QUIET_MS + 8_000, "bob-1", told)), /^8: bob-1 was told of presence/);
    });
  });

  describe("promise 9: presence, and what was taken back", () => {
    const online = { type: "presence", of: "bob", status: "online" } as const;
    const offline = { type: "presence", of: "bob", status: "offline" } as const;

    it("one who is there and not shown, and one who is gone and shown", () => {
      const missing = replaced(watched(), (seen) => (seen.type === "presence" ? undefined : seen));
      breaks([...missing, ...later(new SmallHistory(), 2 * QUIET_MS).seen], /^9: ann-0 shows bob as unknown/);
      const goneMs = QUIET_MS;
      const gone = () => watched().gone(goneMs, "bob-0", "bob-1");
      assert.deepEqual(breachesOf(later(gone(), goneMs + 39_000).seen), []);
      breaks(later(gone(), goneMs + 45_000), /^9: ann-0 shows bob as online, who is gone/);
      const told = gone().tell(goneMs + 15_000, "ann-0", offline);
      assert.deepEqual(breachesOf(later(told, goneMs + 45_000).seen), []);
      const ill = gone().tell(goneMs + 1_000, "", { type: "trouble", what: "crash", forMs: 1_000 });
      assert.deepEqual(breachesOf(later(ill, goneMs + 45_000).seen), []);
    });

    it("a flip for a gap that is shorter than the grace", () => {
      const gap = (forMs: number, toldMs: number) => {
        const history = watched()
          .gone(QUIET_MS, "bob-0", "bob-1")
          .live(QUIET_MS + forMs, "bob-0")
          .tell(QUIET_MS + toldMs, "ann-0", offline)
          .tell(QUIET_MS + toldMs + 3_000, "ann-0", online);
        history.seen.sort((a, b) => a.atMs - b.atMs);
        return later(history, QUIET_MS + 30_000);
      };
      assert.deepEqual(breachesOf(gap(11_000, 10_500).seen), []);
      assert.deepEqual(breachesOf(gap(11_000, 12_000).seen), [], "it is not shown yet that bob is back");
      breaks(gap(5_000, 5_500), /^9: ann-0 was told at 105500 that bob went, who was there/);
      breaks(gap(5_000, 4_500), /^9: ann-0 was told at 104500 that bob went, who was there/);
    });

    it("one who hides, or is blocked, and is shown or told of", () => {
      for (const [what, device, about] of [
        ["hide", "bob-0", "bob"],
        ["block", "ann-0", "bob"],
        ["block", "bob-0", "ann"],
      ] as const) {
        const shut = () => watched().change(QUIET_MS, device, what, about);
        const unknown = { type: "presence", of: "bob", status: "unknown" } as const;
        breaks(later(shut(), QUIET_MS + 5_000), /^9: ann-0 still shows bob as online/);
        const kept = () => shut().tell(QUIET_MS + 50, "ann-0", unknown);
        assert.deepEqual(breachesOf(later(kept(), QUIET_MS + 5_000).seen), []);
        const told = kept().tell(QUIET_MS + 20_000, "ann-0", offline);
        breaks(later(told, QUIET_MS + 21_000), /^9: ann-0 was told that bob is offline, who may not be seen/);
        const back = kept()
          .change(QUIET_MS + 10_000, device, what === "hide" ? "show" : "unblock", about)
          .tell(QUIET_MS + 11_000, "ann-0", online);
        assert.deepEqual(breachesOf(later(back, QUIET_MS + 30_000).seen), []);
      }
    });

    it("typing and receipts that pass a block, and typing of a stranger", () => {
      const block = () => chat().change(40_000, "bob-0", "block", "ann");
      const end = (history: SmallHistory) => history.end(QUIET_MS, LOG, [...BOTH, "bob-1"]);
      const typing = { type: "typing", thread: DIRECT, of: "bob" } as const;
      const receipt = { type: "receipt", thread: DIRECT, of: "bob", delivered: 3, read: 3 } as const;
      assert.deepEqual(breachesOf(end(block().tell(39_000, "ann-0", typing)).seen), []);
      breaks(end(block().tell(75_000, "ann-0", typing)), /^9: ann-0 was told of a typing of bob/);
      breaks(end(block().tell(75_000, "ann-0", receipt)), /^9: ann-0 was told of a receipt of bob/);
      breaks(
        end(chat().live(1_000, "eve-0").tell(50_000, "eve-0", typing)),
        /^6: eve-0 was told that bob types/,
      );
    });

    it("a text that is sent after a block, a removal, or the end of a device", () => {
      const block = chat()
        .change(25_000, "bob-0", "block", "ann")
        .end(60_000, LOG, [...BOTH, "bob-1"]);
      breaks(block, /^9: ann-0 sent three after block ann/);
      const out = chat().change(25_000, "ann-1", "sign out", "ann-0").end(60_000, LOG, BOTH);
      assert.match(breachesOf(out.seen).join("\n"), /^9: ann-0 sent three when it was signed out$/m);
    });
  });

  describe("promise 10: memory is bounded", () => {
    it("a stream on which more stands than was granted", () => {
      assert.deepEqual(
        breachesOf(ended().tell(61_000, "ann-0", { type: "stream", unacknowledged: 512 }).seen),
        [],
      );
      breaks(ended().tell(61_000, "ann-0", { type: "stream", unacknowledged: 513 }), /^10: ann-0 had 513/);
    });

    it("an entry that comes late to one who reads, while nothing ails the servers", () => {
      const four = entryOf(4, "ann", "four");
      const late = (ms: number) =>
        chat()
          .tell(QUIET_MS, "bob-1", { type: "trouble", what: "slow reader", forMs: 20_000 })
          .send(QUIET_MS, "ann-0", "four", 4, ["bob-1"])
          .tell(QUIET_MS + ms, "bob-0", { type: "entry", thread: DIRECT, entry: four })
          .end(QUIET_MS + 40_000, [...LOG, four], [...BOTH, "bob-1"]);
      assert.deepEqual(breachesOf(late(1_000).seen), []);
      breaks(late(8_000), /^10: bob-0 was given .*\/4 7950 ms after it was sent/);
    });
  });
});
