import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError } from "../engine.ts";
import { etcdEngine } from "./etcd-engine.ts";

describe("etcd on this machine", () => {
  let folder: string;

  before(async function () {
    this.timeout(900_000); // It is built when it is first needed.
    await etcdEngine.install(() => {});
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-etcd-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it("is found where it was, with what it held, by another start on its folder", async () => {
    const first = await etcdEngine.start({ folder });
    const { url } = first;
    await ask(url, "put", { key: KEY, value: VALUE });
    await first.stop();
    const second = await etcdEngine.start({ folder });
    try {
      assert.equal(second.url, url);
      assert.equal((await ask(url, "range", { key: KEY })).kvs?.[0]?.value, VALUE);
      assert.equal(await second.leader(), "etcd-1");
    } finally {
      await second.stop();
    }
  });

  it("tells of a member that was killed, which holds what it held when it is started again", async () => {
    const etcd = await etcdEngine.start({ folder, members: 3 });
    try {
      const [url = ""] = etcd.url.split(",");
      await ask(url, "put", { key: KEY, value: VALUE });
      const ended = new Promise((resolve) => etcd.onEnded(({ name, signal }) => resolve({ name, signal })));
      etcd.processes.get("etcd-1")?.kill("SIGKILL");
      assert.deepEqual(await ended, { name: "etcd-1", signal: "SIGKILL" });
      await etcd.restart("etcd-1");
      assert.equal((await ask(url, "range", { key: KEY, serializable: true })).kvs?.[0]?.value, VALUE);
    } finally {
      await etcd.stop();
    }
    assert.ok([...etcd.processes.values()].every(({ isRunning }) => !isRunning));
  });

  it("says what it printed last when it does not start, and takes ETCD_BIN for its program", async () => {
    const before = process.env.ETCD_BIN;
    process.env.ETCD_BIN = "/bin/false";
    try {
      await assert.rejects(etcdEngine.start({ folder }), (error) => {
        return error instanceof EngineError && /etcd-1 ended with 1 /.test(error.message);
      });
    } finally {
      if (before === undefined) delete process.env.ETCD_BIN;
      else process.env.ETCD_BIN = before;
    }
  });
});

/** In base64, as etcd's JSON gateway has bytes. */
const [KEY, VALUE] = ["a2V5", "dmFsdWU="];

async function ask(
  url: string,
  call: "put" | "range",
  request: object,
): Promise<{ readonly kvs?: { readonly value: string }[] }> {
  const answer = await fetch(`${url}/v3/kv/${call}`, { method: "POST", body: JSON.stringify(request) });
  assert.ok(answer.ok);
  return answer.json() as Promise<{ readonly kvs?: { readonly value: string }[] }>;
}
