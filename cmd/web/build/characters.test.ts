import assert from "node:assert/strict";
import { Any as AnyTable, Cc as CcTable, P as PTable, Z as ZTable } from "uc.micro";
import { Any, Cc, P, Z } from "./characters.ts";

describe("Kinds of characters", () => {
  const kinds = { Any: [Any, AnyTable], Cc: [Cc, CcTable], P: [P, PTable], Z: [Z, ZTable] } as const;
  for (const [name, [ours, table]] of Object.entries(kinds)) {
    it(`are those of the tables that linkify-it is made for: ${name}`, () => {
      for (let code = 0; code <= 0xffff; code++) {
        const character = String.fromCharCode(code);
        assert.equal(ours.test(character), table.test(character), `U+${code.toString(16)}`);
      }
    });
  }

  it("behave like the tables in the expressions that linkify-it makes of them", () => {
    const notAnX = (any: RegExp) => new RegExp(`^(?:(?!x)${any.source})`);
    for (const text of ["x", "y", "👍", "\ud83d", "\udc4d", " ", "世"]) {
      assert.equal(notAnX(Any).test(text), notAnX(AnyTable).test(text), text);
    }
  });
});
