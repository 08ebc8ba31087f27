import assert from "node:assert/strict";
import fc from "fast-check";
import { Code, ErrorReason, HeddleError } from "../base/heddle-error.ts";
import { decodeToken, encodeToken, TokenKind } from "./opaque-token.ts";
import { decodeCursor, decodePageToken, encodeCursor, encodePageToken } from "./sync-tokens.ts";

const whole = fc.maxSafeNat();

function isMalformed(field: string) {
  return (error: unknown) =>
    error instanceof HeddleError &&
    error.code === Code.INVALID_ARGUMENT &&
    error.reason === ErrorReason.TOKEN_MALFORMED &&
    error.metadata.field === field;
}

describe("Tokens of the thread service", () => {
  it("give back what they were made of, within the contract's 64 bytes", () => {
    const cursor = fc.record({ era: whole, mark: whole, version: whole, atMs: whole });
    const pageToken = fc.record({
      era: whole,
      sinceVersion: whole,
      sinceAtMs: whole,
      afterVersion: whole,
      afterLarge: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      atMs: whole,
    });
    fc.assert(
      fc.property(cursor, pageToken, (made, page) => {
        assert.deepEqual(decodeCursor(encodeCursor(made)), { ...made });
        assert.deepEqual(decodePageToken(encodePageToken(page)), { ...page });
        assert.ok(encodePageToken(page).length <= 64);
      }),
    );
  });

  it("keep bytes behind their numbers", () => {
    const rest = Uint8Array.from({ length: 16 }, (_, at) => at);
    const token = encodeToken(TokenKind.listPage, [7], rest);
    const shape = { kind: TokenKind.listPage, numbers: 1, restBytes: 16 };
    assert.deepEqual(decodeToken(shape, token, "page_token"), { numbers: [7], rest });
  });

  it("stand for the start when they are empty", () => {
    assert.equal(decodeCursor(new Uint8Array(0)), undefined);
    assert.equal(decodePageToken(new Uint8Array(0)), undefined);
  });

  it("are refused when they are anything else, naming the field", () => {
    const cursor = encodeCursor({ era: 1, mark: 1, version: 2, atMs: 3 });
    const afterLarge = new Uint8Array(16);
    const page = encodePageToken({
      era: 1,
      sinceVersion: 2,
      sinceAtMs: 3,
      afterVersion: 4,
      afterLarge,
      atMs: 5,
    });
    const huge = cursor.slice();
    huge[1] = 0xff; // Above 2^53.
    const others = [
      page,
      cursor.subarray(1),
      Uint8Array.of(...cursor, 0),
      Uint8Array.of(9, ...cursor.slice(1)),
      huge,
    ];
    for (const bytes of others) assert.throws(() => decodeCursor(bytes), isMalformed("cursor"));
    assert.throws(() => decodePageToken(cursor), isMalformed("page_token"));
  });

  it("never make anything but a token or a refusal of arbitrary bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        for (const [decode, field] of [
          [decodeCursor, "cursor"],
          [decodePageToken, "page_token"],
        ] as const) {
          try {
            decode(bytes);
          } catch (error) {
            assert.ok(isMalformed(field)(error));
          }
        }
      }),
    );
  });
});
