import assert from "node:assert/strict";
import { formatRoute, parseRoute, type Route } from "./route.ts";

describe("Addresses of chats", () => {
  it("lead back to what they were made from", () => {
    const routes: Route[] = [
      { kind: "list" },
      { kind: "with", userId: "bob.b-c_9" },
      { kind: "with", userId: "auth0|5f/#?%41&+~" },
      { kind: "with", userId: "Ann@x.example" },
      { kind: "with", userId: "%".repeat(255) },
      { kind: "thread", threadId: "0123456789abcdef0123456789abcdef" },
    ];
    for (const route of routes) assert.deepEqual(parseRoute(formatRoute(route)), route);
  });

  it("are the list where they name nothing", () => {
    for (const hash of [
      "",
      "#",
      "#/with/",
      "#/with/A B",
      "#/with/a%20b",
      "#/with/%",
      "#/with/%C3%A4",
      "#/thread/12",
      "#/with/bob/x",
      "#<b>",
    ]) {
      assert.deepEqual(parseRoute(hash), { kind: "list" }, hash);
    }
  });
});
