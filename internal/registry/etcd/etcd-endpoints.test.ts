import assert from "node:assert/strict";
import { type Etcd3, GRPCDeadlineExceededError } from "etcd3";
import { createLog } from "../../base/log.ts";
import { FakeClock } from "../../testing/fakes/time/fake-clock.ts";
import { quiet } from "../../testing/worlds/interleaving.ts";
import { RegistryAway } from "../registry.ts";
import { EtcdEndpoints } from "./etcd-endpoints.ts";

/** Members that a test answers for. */
function members(...names: readonly string[]) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    destination: { write: (line) => lines.push(JSON.parse(line).msg) },
  });
  const etcds = names.map((name) => ({ name, close() {} }) as unknown as Etcd3);
  const endpoints = new EtcdEndpoints(
    names.map((address, index) => ({ address, etcd: etcds[index] as Etcd3 })),
    clock,
    log,
  );
  /** In the order in which they were asked. */
  const asked: { readonly name: string; answer(text: string): void; refuse(error?: Error): void }[] = [];
  const ask = (ms: number) => {
    const outcome = { text: undefined as string | undefined, error: undefined as unknown };
    const call = (etcd: Etcd3) =>
      new Promise<string>((resolve, reject) => {
        const { name } = etcd as unknown as { readonly name: string };
        asked.push({
          name,
          answer: resolve,
          refuse: (error = new Error(`${name} refuses`)) => reject(error),
        });
      });
    endpoints.ask(ms, call).then(
      (text) => Object.assign(outcome, { text }),
      (error) => Object.assign(outcome, { error }),
    );
    return outcome;
  };
  const advance = async (ms: number) => {
    clock.advance(ms);
    await quiet();
  };
  return { clock, endpoints, lines, asked, ask, advance, names: () => asked.map(({ name }) => name) };
}

describe("The members of etcd", () => {
  it("are asked one after the other while they are silent, and the first answer counts from then on", async () => {
    const { asked, ask, advance, names, endpoints } = members("a", "b", "c");
    const outcome = ask(1_000);
    await advance(249);
    assert.deepEqual(names(), ["a"]);
    await advance(1);
    assert.deepEqual(names(), ["a", "b"]);
    asked[1]?.answer("of b");
    await quiet();
    assert.deepEqual([outcome.text, endpoints.first.address], ["of b", "b"]);
    asked[0]?.answer("of a, too late");
    await advance(2_000);
    assert.deepEqual([outcome.text, endpoints.first.address, names()], ["of b", "b", ["a", "b"]]);
    ask(1_000);
    assert.deepEqual(names(), ["a", "b", "b"]);
  });

  it("are all asked at once when they refuse, and again 100 ms later, until one answers", async () => {
    const { asked, ask, advance, names } = members("a", "b");
    const outcome = ask(1_000);
    asked[0]?.refuse();
    await quiet();
    asked[1]?.refuse();
    await quiet();
    await advance(99);
    assert.deepEqual(names(), ["a", "b"]);
    await advance(1);
    assert.deepEqual(names(), ["a", "b", "a"]);
    asked[2]?.answer("of a");
    await quiet();
    assert.equal(outcome.text, "of a");
  });

  it("are away at the deadline, whatever they do: a lone silent one is not asked again meanwhile", async () => {
    const { ask, advance, names, lines, asked } = members("a");
    const outcome = ask(1_000);
    await advance(999);
    assert.deepEqual([names(), outcome.error], [["a"], undefined]);
    await advance(1);
    assert.ok(outcome.error instanceof RegistryAway);
    const refused = ask(1_000);
    for (let tries = 1; tries < 12; tries++) {
      asked.at(-1)?.refuse();
      await advance(100);
    }
    assert.ok(refused.error instanceof RegistryAway);
    assert.equal((refused.error.cause as Error).message, "a refuses");
    const answered = ask(1_000);
    asked.at(-1)?.answer("of a");
    await advance(0);
    assert.equal(answered.text, "of a");
    assert.deepEqual(lines, ["etcd does not answer", "etcd answers again"]);
  });

  it("say why, although the last try only ran out of time", async () => {
    const { ask, advance, asked } = members("a");
    const outcome = ask(1_000);
    asked[0]?.refuse();
    await advance(0);
    await advance(100);
    asked[1]?.refuse(new GRPCDeadlineExceededError("deadline exceeded"));
    await quiet();
    await advance(900);
    assert.equal(((outcome.error as Error).cause as Error).message, "a refuses");
  });

  it("are asked no more once they are closed", async () => {
    const { asked, ask, advance, names, lines, endpoints } = members("a", "b");
    const [refused, silent] = [ask(1_000), ask(1_000)];
    endpoints.close();
    asked[0]?.refuse();
    await quiet();
    const late = ask(1_000);
    await advance(1_000);
    assert.deepEqual([names(), lines], [["a", "a"], []]);
    for (const { error } of [refused, silent, late]) assert.ok(error instanceof RegistryAway);
  });
});
