import assert from "node:assert/strict";
import {
  decodeCounter,
  type EtcdCounter,
  encodeCounter,
  goesOnFrom,
  numberOf,
  withTaken,
} from "./etcd-counter.ts";
import { EtcdHistory } from "./etcd-history.ts";

/** Numbers from `first` on, each taken under a lease of `history`. */
function counted(history: string, first: number, last: number, before: EtcdCounter = []): EtcdCounter {
  let counter = before;
  for (let number = first; number <= last; number++) {
    counter = withTaken(counter, { number, lease: `${history}${number}` });
  }
  return counter;
}

describe("A service's counter in etcd", () => {
  it("is read as it was written, and is empty where nobody of ours has written", () => {
    const counter = counted("a", 1, 3);
    assert.deepEqual(decodeCounter(encodeCounter(counter)), counter);
    assert.equal(numberOf(counter), 3);
    assert.equal(numberOf(decodeCounter(undefined)), 0);
    for (const value of ["", "7", "{", '[["1","x"]]', "[[0.5,1]]", "[null]"]) {
      assert.equal(numberOf(decodeCounter(Buffer.from(value))), 0, value);
    }
  });

  it("goes on from what was known, however many came since", () => {
    const known = { number: 2, lease: "a2" };
    assert.equal(goesOnFrom(counted("a", 1, 2), known), true);
    assert.equal(goesOnFrom(counted("a", 1, 65), known), true);
    assert.equal(goesOnFrom(counted("a", 1, 500), known), true);
  });

  it("does not when the number is not there, was taken by another, or was stepped over", () => {
    const known = { number: 4, lease: "a4" };
    assert.equal(goesOnFrom([], known), false);
    assert.equal(goesOnFrom(counted("a", 1, 3), known), false);
    assert.equal(goesOnFrom(counted("b", 4, 9, counted("a", 1, 3)), known), false);
    assert.equal(goesOnFrom(counted("b", 5, 9, counted("a", 1, 3)), known), false);
    assert.equal(goesOnFrom(counted("b", 5, 500, counted("a", 1, 3)), known), true, "which nobody can tell");
  });
});

describe("What a process knows of etcd's history", () => {
  it("changes once when etcd went back, however many lists show it", () => {
    const history = new EtcdHistory();
    history.reading()(counted("a", 1, 2));
    history.heard({ number: 4, lease: "a4" });
    const [one, another] = [history.reading(), history.reading()];
    const older = counted("b", 3, 5, counted("a", 1, 2));
    one(older);
    another(older);
    history.reading()(counted("b", 6, 6, older));
    assert.equal(history.number, 1);
  });

  it("is not changed by what is heard while a list is on its way", () => {
    const history = new EtcdHistory();
    const read = history.reading();
    history.heard({ number: 3, lease: "a3" });
    read(counted("a", 1, 2));
    history.reading()(counted("a", 1, 3));
    assert.equal(history.number, 0);
  });
});
