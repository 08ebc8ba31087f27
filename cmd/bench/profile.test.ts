import assert from "node:assert/strict";
import { byAsker, byLayer, type Profile, profileText, selfTimes } from "./profile.ts";

const node = (id: number, functionName: string, url: string, children: readonly number[] = []) => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 },
  children,
});

const profile: Profile = {
  nodes: [
    node(1, "(root)", "", [2, 3, 6]),
    node(2, "(idle)", ""),
    node(3, "encodeBody", "file:///x/internal/message/entry-cell.ts", [4]),
    node(4, "toBinary", "file:///x/node_modules/@bufbuild/protobuf/dist/a.js", [5]),
    node(5, "digest", "node:internal/crypto/hash"),
    node(6, "onread", "node:internal/http2/core", [7]),
    node(7, "write", "file:///x/node_modules/@grpc/grpc-js/build/b.js"),
  ],
  samples: [2, 3, 4, 4, 5, 7],
  timeDeltas: [1_000, 100, 200, 100, 50, 550],
};

describe("Profiles", () => {
  it("give the self time of each function, without the idle time", () => {
    const { busyUs, functions } = selfTimes(profile);
    assert.equal(busyUs, 1_000);
    assert.deepEqual(
      functions.map(({ name, us }) => [name, us]),
      [
        ["write @grpc/grpc-js/build/b.js:10", 550],
        ["toBinary @bufbuild/protobuf/dist/a.js:10", 300],
        ["encodeBody internal/message/entry-cell.ts:10", 100],
        ["digest node:internal/crypto/hash:10", 50],
      ],
    );
  });

  it("sum it by layer", () => {
    assert.deepEqual(
      byLayer(selfTimes(profile).functions).map(({ name, us }) => [name, us]),
      [
        ["@grpc/grpc-js", 550],
        ["@bufbuild/protobuf", 300],
        ["heddle message", 100],
        ["node (streams, net, timers)", 50],
      ],
    );
  });

  it("give the time of packages to the function of Heddle's that asked for it", () => {
    assert.deepEqual(
      byAsker(profile).map(({ name, us }) => [name, us]),
      [
        ["@grpc/grpc-js", 550],
        ["encodeBody internal/message/entry-cell.ts:10", 450],
      ],
    );
  });

  it("say it as shares, and per unit of work where that is known", () => {
    const text = profileText(profile, { top: 1, units: 100 });
    assert.match(text, /55\.0 % +5\.50 µs {2}write @grpc/);
    assert.doesNotMatch(text, /toBinary/);
  });
});
