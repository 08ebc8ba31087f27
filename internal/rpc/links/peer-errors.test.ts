import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ErrorReason, HeddleError, threadNotFound } from "../../base/heddle-error.ts";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { decodeRefusal, encodeRefusal } from "./peer-errors.ts";

describe("The error codec of links", () => {
  it("carries our errors whole", () => {
    const error = new HeddleError(Code.RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED, "full", {
      metadata: { queue: "append", committed: "never" },
      retryAfterMs: 1_500,
    });
    const got = decodeRefusal("message", encodeRefusal(error));
    assert.deepEqual(
      [got.code, got.reason, got.message, got.metadata, got.retryAfterMs],
      [error.code, error.reason, error.message, error.metadata, error.retryAfterMs],
    );
  });

  for (const code of [1, 2, 3, 4, 5, 7, 8, 12, 13, 14, 16, 77]) {
    it(`takes status ${code} without our ErrorInfo for UNAVAILABLE`, () => {
      const body = toBinary(StatusSchema, create(StatusSchema, { code, message: "401 from a proxy" }));
      assert.equal(decodeRefusal("message", body).reason, ErrorReason.PEER_UNAVAILABLE);
      assert.equal(decodeRefusal("message", body).code, Code.UNAVAILABLE);
    });
  }

  it("takes bytes that are no status for UNAVAILABLE", () => {
    for (const body of [
      Uint8Array.of(1, 2, 3),
      new Uint8Array(0),
      encodeRefusal(threadNotFound()).subarray(5),
    ]) {
      assert.equal(decodeRefusal("message", body).reason, ErrorReason.PEER_UNAVAILABLE);
    }
  });
});
