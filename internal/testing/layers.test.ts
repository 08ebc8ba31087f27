import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkLayers, type SourceFile } from "./layers.ts";

const root = join(import.meta.dirname, "../..");

function filesOfThisRepository(): SourceFile[] {
  const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.ts", "*.tsx"];
  return execFileSync("git", list, { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** Files written as `{ path: text }`. */
function check(sample: Record<string, string>): string[] {
  return checkLayers(Object.entries(sample).map(([path, text]) => ({ path, text })));
}

function refuses(sample: Record<string, string>, ...parts: string[]): void {
  const breaches = check(sample);
  assert.equal(breaches.length, 1, `one breach expected, found: ${JSON.stringify(breaches)}`);
  for (const part of parts) assert.ok(breaches[0]?.includes(part), `${breaches[0]} should name ${part}`);
}

describe("The layers", () => {
  it("hold in this repository", () => {
    const breaches = checkLayers(filesOfThisRepository());
    assert.equal(breaches.length, 0, `\n${breaches.join("\n")}`);
  }).timeout(60_000); // Every file is read: two seconds beside other work.

  it("allow what points left", () => {
    const left = {
      "internal/base/clock.ts": 'import { create } from "@bufbuild/protobuf";\n',
      "internal/wire/frames.ts":
        'import type { Clock } from "../base/clock.ts";\nimport "../gen/heddle/push/v1/a.ts";\n',
      "internal/stream/queue.ts":
        'import type { Clock } from "../base/clock.ts";\nimport "../wire/frames.ts";\n',
      "internal/rpc/server.ts": 'import grpc from "@grpc/grpc-js";\nimport "../stream/queue.ts";\n',
      "internal/registry/etcd/lease.ts":
        'import { x } from "../../rpc/server.ts";\nimport { Etcd3 } from "etcd3";\n',
      "internal/message/log.ts": 'import { Queue } from "../stream/queue.ts";\n',
      "internal/message/service.ts": 'import "./log.ts";\nimport "../registry/lease.ts";\nimport "pino";\n',
      "internal/app/run-service.ts": 'import "../message/service.ts";\n',
      "cmd/message/main.ts": 'import "../../internal/app/run-service.ts";\n',
      "client/session.ts": 'import "../internal/stream/queue.ts";\nimport "./web/transport.ts";\n',
      "client/web/transport.ts": 'import { createConnectTransport } from "@connectrpc/connect-web";\n',
      "cmd/chat/main.ts": 'import "../../client/session.ts";\n',
      "internal/base/clock.test.ts": 'import "../app/run-service.ts";\nimport fc from "fast-check";\n',
    };
    assert.deepEqual(check(left), []);
  });

  it("refuse an import that points right, naming file, line and arrow", () => {
    const sample = { "internal/base/a.ts": '// first line\nimport {\n  Queue,\n} from "../stream/b.ts";\n' };
    refuses(sample, "internal/base/a.ts:2", "base → stream");
    refuses({ "internal/wire/a.ts": 'import "../stream/b.ts";' }, "wire → stream");
  });

  it("refuse every way to write the import", () => {
    const ways = [
      'export * from "../app/x.ts";',
      'export type { X } from "../app/x.ts";',
      'import type X from "../app/x.ts";',
      'import "../app/x.ts";',
      'import{X}from"../app/x.ts";',
      'const x = await import("../app/x.ts");',
    ];
    for (const way of ways) refuses({ "internal/rpc/a.ts": way }, "internal/rpc/a.ts:1", "rpc → app");
  });

  it("keep services apart", () => {
    const sample = { "internal/push/service.ts": 'import "../presence/ports.ts";' };
    refuses(sample, "internal/push → internal/presence");
  });

  it("leave the frames of clients' streams to push", () => {
    const frames = 'import { ServerFrameSchema } from "../gen/heddle/push/v1/frame_pb.js";';
    refuses({ "internal/message/typing.ts": frames }, "internal/message/typing.ts:1", "internal/wire");
    assert.deepEqual(check({ "internal/push/events.ts": frames }), []);
  });

  it("keep domain files away from servers, stores and packages", () => {
    refuses({ "internal/push/outbox.ts": 'import "../rpc/server.ts";' }, "domain → rpc");
    refuses({ "internal/push/outbox.ts": 'import pino from "pino";' }, "domain → pino");
    for (const name of ["config", "service", "ports", "metrics", "door-grpc"]) {
      assert.deepEqual(check({ [`internal/push/${name}.ts`]: 'import "../rpc/server.ts";' }), []);
    }
  });

  it("keep client programs out of the server, servers out of the client, and mains apart", () => {
    refuses({ "cmd/chat/main.ts": 'import "../../internal/rpc/server.ts";' }, "program → rpc");
    refuses({ "internal/gateway/service.ts": 'import "../../client/session.ts";' }, "service → client");
    refuses({ "cmd/heddle/main.ts": 'import "../push/main.ts";' }, "main → main");
  });

  it("let a program of its own among a client program's rooms stand on the server, imported by nobody", () => {
    const own = { "cmd/bench/links/main.ts": 'import "../../../internal/rpc/server.ts";' };
    assert.deepEqual(check(own), []);
    const asked = { "cmd/bench/scenarios/links.ts": 'import "../links/main.ts";' };
    refuses({ ...own, ...asked }, "program → main");
    refuses({ "cmd/bench/links/main.ts": 'import "../folders.ts";' }, "main → program");
  });

  it("keep packages behind their walls", () => {
    refuses({ "internal/push/service.ts": 'import { Server } from "@grpc/grpc-js";' }, "@grpc/grpc-js");
    refuses({ "client/web/a.ts": 'import grpc from "@grpc/grpc-js";' }, "client/grpc/");
    refuses({ "internal/store/level/a.ts": 'import h from "hbase-rpc-client";' }, "internal/store/hbase/");
    refuses({ "internal/rpc/a.ts": 'import { Etcd3 } from "etcd3";' }, "internal/registry/etcd/");
    refuses({ "internal/rpc/a.ts": 'import fc from "fast-check";' }, "only tests");
  });

  it("let the mesh and tools start engines, and no server", () => {
    assert.deepEqual(check({ "cmd/mesh/main.ts": 'import "../../internal/engines/etcd/etcd.ts";' }), []);
    assert.deepEqual(check({ "internal/engines/etcd/etcd.ts": 'import "../../base/clock.ts";' }), []);
    refuses({ "cmd/push/main.ts": 'import "../../internal/engines/etcd/etcd.ts";' }, "main → engines");
    assert.deepEqual(check({ "cmd/mesh/edge.ts": 'import "../../envoy/render-edge.ts";' }), []);
    refuses({ "cmd/push/main.ts": 'import "../../envoy/render-edge.ts";' }, "main → edge");
    refuses({ "internal/app/a.ts": 'import "../engines/etcd/etcd.ts";' }, "app → engines");
    refuses({ "internal/engines/etcd/etcd.ts": 'import "../../rpc/server.ts";' }, "engines → rpc");
    refuses(
      { "internal/engines/etcd/a.ts": 'import "../hbase/b.ts";', "internal/engines/hbase/b.ts": "" },
      "engines",
    );
  });

  it("keep test code out of programs", () => {
    refuses({ "internal/app/a.ts": 'import "../testing/fake-clock.ts";' }, "only tests");
  });

  it("let rooms of a service import only those before them, and what leads to no later one", () => {
    const forward = {
      "internal/message/cells/a.ts": 'import type { P } from "../ports.ts";',
      "internal/message/log/b.ts": 'import "../cells/a.ts";\nimport "../hiding.ts";',
      "internal/message/log/b.test.ts": 'import "../receipts/c.ts";',
      "internal/message/receipts/c.ts": 'import "../log/b.ts";',
      "internal/message/ports.ts": "",
      "internal/message/hiding.ts": 'import "./ports.ts";\nimport "./cells/a.ts";',
      "internal/message/service.ts": 'import "./log/b.ts";\nimport "./receipts/c.ts";',
    };
    assert.deepEqual(check(forward), []);
    const receipts = { "internal/message/receipts/c.ts": "" };
    refuses(
      { ...receipts, "internal/message/log/b.ts": 'import "../receipts/c.ts";' },
      "internal/message/log/b.ts:1: internal/message/log → internal/message/receipts",
    );
    refuses(
      {
        ...receipts,
        "internal/message/reader.ts": 'import "./receipts/c.ts";',
        "internal/message/log/b.ts": 'import "../reader.ts";',
      },
      "by way of internal/message/reader.ts",
    );
    refuses({ "internal/push/attic/a.ts": "" }, 'the room "attic" has no place');
  });

  it("refuse cycles, long files, vague names and folders without a layer", () => {
    const cycle = { "internal/base/a.ts": 'import "./b.ts";', "internal/base/b.ts": 'import "./a.ts";' };
    refuses(cycle, "import cycle internal/base/a.ts → internal/base/b.ts → internal/base/a.ts");
    assert.deepEqual(check({ "internal/base/long.ts": "x;\n".repeat(400) }), []);
    refuses({ "internal/base/long.ts": "x;\n".repeat(401) }, "longer than 400 lines");
    refuses({ "internal/base/string-utils.ts": "" }, "utils");
    refuses({ "internal/testing/helpers/a.ts": "" }, "helpers");
    refuses({ "internal/surprise/a.ts": "" }, "belongs to no layer");
    assert.deepEqual(check({ "internal/gen/a_pb.d.ts": "x;\n".repeat(401) }), []);
  });
});
