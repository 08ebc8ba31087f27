import assert from "node:assert/strict";
import { protoInt64 as original } from "@bufbuild/protobuf";
import { protoInt64 } from "./int64.ts";

const EDGES = [
  0n,
  1n,
  -1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 64n - 1n,
];
const VALUES = [...EDGES, ...EDGES.map(String), 7, -7, 2n ** 63n, 2n ** 64n, -(2n ** 63n) - 1n, "x", 1.5];

/** What comes of a call: its value, or that it throws. */
function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch {
    return "it throws";
  }
}

describe("The page's numbers of 64 bits", () => {
  it("are those of protobuf-es, written, read and refused", () => {
    for (const value of VALUES)
      for (const name of ["parse", "uParse", "enc", "uEnc"] as const)
        assert.deepEqual(
          outcome(() => protoInt64[name](value)),
          outcome(() => original[name](value)),
          `${name} ${value}`,
        );
    for (const lo of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)])
      for (const hi of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)])
        for (const name of ["dec", "uDec"] as const)
          assert.equal(protoInt64[name](lo, hi), original[name](lo, hi), `${name} ${lo} ${hi}`);
    assert.equal(protoInt64.zero, original.zero);
    assert.ok(original.supported);
  });
});
