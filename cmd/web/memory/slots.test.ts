import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SLOT_COUNT, type Slot, takeSlot } from "./slots.ts";

describe("Slots of tabs", () => {
  const held: Slot[] = [];
  const take = async (options: { preferred?: number; onFull?: () => void; signal?: AbortSignal } = {}) => {
    const slot = await takeSlot({
      locks: navigator.locks,
      preferred: options.preferred,
      onFull: options.onFull ?? (() => assert.fail("there is room")),
      signal: options.signal ?? new AbortController().signal,
    });
    held.push(slot);
    return slot;
  };

  afterEach(async () => {
    for (const slot of held.splice(0)) slot.release();
    while ((await navigator.locks.query()).held?.length) await nextTurn();
  });

  it("are given one to a tab, and again when they get free", async () => {
    for (let number = 1; number <= SLOT_COUNT; number++) assert.equal((await take()).number, number);
    held[2]?.release();
    assert.equal((await take()).number, 3);
  });

  it("come back to the tab that had them", async () => {
    assert.equal((await take({ preferred: 4 })).number, 4);
    assert.equal((await take()).number, 1);
  });

  it("are waited for by a reloaded tab until the page before it is gone", async () => {
    const before = await take({ preferred: 2 });
    const after = take({ preferred: 2 });
    before.release();
    assert.equal((await after).number, 2);
  });

  it("say that they are full, and then give the first that gets free to one waiter", async () => {
    for (let number = 1; number <= SLOT_COUNT; number++) await take();
    const wait = () => {
      let slot: Promise<Slot> | undefined;
      const full = new Promise<void>((resolve) => {
        slot = take({ onFull: resolve });
      });
      return full.then(() => [slot as Promise<Slot>] as const);
    };
    const [sixth] = await wait();
    const [seventh] = await wait();
    held[4]?.release();
    assert.equal((await sixth).number, 5);
    held[0]?.release();
    held[1]?.release();
    assert.ok([1, 2].includes((await seventh).number));
    const left = await take();
    assert.ok([1, 2].includes(left.number), "the waiter took one of the two and no more");
  });

  it("are given up when the waiter is", async () => {
    for (let number = 1; number <= SLOT_COUNT; number++) await take();
    const gone = new AbortController();
    const sixth = take({ onFull: () => gone.abort(new Error("signed out")), signal: gone.signal });
    await assert.rejects(sixth, /signed out/);
    held[0]?.release();
    assert.equal((await take({ preferred: 1 })).number, 1);
  });
});
