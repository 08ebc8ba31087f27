import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { LinkFrameSchema } from "../../gen/heddle/link/v1/link_pb.js";
import { decodeFrame, encodeFrame, LinkItemKind } from "./link-frames.ts";

describe("A frame of a link", () => {
  const items = fc.array(
    fc.record(
      {
        id: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
        kind: fc.constantFrom(
          LinkItemKind.REQUEST,
          LinkItemKind.ANSWER,
          LinkItemKind.REFUSAL,
          LinkItemKind.NOTICE,
        ),
        method: fc.nat({ max: 2 ** 32 - 1 }),
        budgetMs: fc.nat({ max: 60_000 }),
        goesOn: fc.boolean(),
        body: fc.uint8Array({ maxLength: 300 }),
      },
      { noNullPrototype: true },
    ),
  );

  it("has the bytes of the general codec, and reads what that writes", () => {
    fc.assert(
      fc.property(items, (list) => {
        const message = create(LinkFrameSchema, {
          items: list.map((item) => ({ ...item, id: BigInt(item.id) })),
        });
        const bytes = encodeFrame(list);
        assert.deepEqual(fromBinary(LinkFrameSchema, bytes), message);
        const plain = decodeFrame(toBinary(LinkFrameSchema, message)).map((item) => ({
          ...item,
          body: Uint8Array.from(item.body),
        }));
        assert.deepEqual(plain, list);
      }),
    );
  });

  it("reads any bytes, or throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeFrame(bytes);
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      }),
    );
  });
});
