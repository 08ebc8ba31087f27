import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { base64Encode, base64Decode as original } from "@bufbuild/protobuf/wire";
import { base64Decode } from "./base64.ts";

describe("The page's base64", () => {
  it("reads what protobuf-es writes, in each of its ways", () => {
    for (let length = 0; length < 70; length++) {
      const bytes = new Uint8Array(randomBytes(length));
      for (const way of ["std", "std_raw", "url"] as const) {
        const text = base64Encode(bytes, way);
        assert.deepEqual(base64Decode(text), bytes, text);
        assert.deepEqual(base64Decode(text), new Uint8Array(original(text)));
      }
    }
  });

  it("throws for what is none, as that does", () => {
    for (const text of ["a", "$$$$", "ab\u00e9d"]) {
      assert.throws(() => original(text));
      assert.throws(() => base64Decode(text));
    }
  });
});
