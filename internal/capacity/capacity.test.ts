import assert from "node:assert/strict";
import { capacityOf } from "./capacity.ts";
import { capacityJson } from "./capacity-json.ts";
import { capacityText } from "./capacity-text.ts";
import { readWorkload, SEED, type Workload } from "./workload.ts";

const of = (changes: Partial<Workload>) => capacityOf({ ...SEED, ...changes });

describe("A plan", () => {
  it("of the seed figures is that of docs/design.md, section 11: 3.65 PB of payload", () => {
    const { messagesADay, mean, peak, bytes } = capacityOf(SEED);
    assert.equal(messagesADay, 20e9);
    assert.equal(Math.round(mean), 231_481);
    assert.equal(Math.round(peak.messages), 335_648);
    assert.equal(bytes.payload, 3.65e15);
    assert.equal(bytes.onDisks, bytes.cells * 3);
    assert.equal(bytes.otherwise, bytes.cells * 1.5);
    assert.equal(of({ copies: "reed-solomon" }).bytes.onDisks, bytes.cells * 1.5);
  });

  it("grows with what people do, and with nothing else", () => {
    const seed = capacityOf(SEED);
    const twice = of({ users: SEED.users * 2 });
    assert.equal(twice.bytes.payload, 2 * seed.bytes.payload);
    assert.ok(Math.abs(twice.instances.push - 2 * seed.instances.push) <= 1);
    assert.equal(of({ years: 10 }).bytes.payload, 2 * seed.bytes.payload);
    assert.deepEqual(of({ years: 10 }).instances, seed.instances);
    assert.equal(of({ members: 101 }).peak.deliveries, 100 * seed.peak.messages);
    assert.deepEqual(of({ members: 101 }).bytes, seed.bytes);
    assert.equal(of({ online: 0.4 }).peak.streams, 2 * seed.peak.streams);
    assert.equal(of({ watchers: 0 }).instances.presence, 2);
    assert.ok(of({ textBytes: 200 }).bytes.cell > seed.bytes.cell + 99);
  });

  it("of a few users has two of each program, so that one may die, and a node for each copy", () => {
    const { instances, hbase } = of({ users: 1_000 });
    assert.deepEqual([...new Set(Object.values(instances))], [2]);
    assert.deepEqual(hbase, { regions: 1, regionServers: 2, dataNodes: 3 });
    assert.equal(of({ users: 1_000, copies: "reed-solomon" }).hbase.dataNodes, 9);
  });

  it("takes region servers for what is written where little is kept", () => {
    const { hbase, peak } = of({ years: 0.001 });
    assert.equal(hbase.regionServers, Math.ceil(peak.messages / 5_000));
  });

  it("is read in a terminal of 80 columns, whatever is asked", () => {
    const largest = { users: 1e10, messages: 100_000, textBytes: 32_768, peak: 1_000, members: 10_000 };
    const much = { years: 100, opens: 10_000, watchers: 10_000, online: 1 };
    const none = { users: 1, messages: 0, years: 0, opens: 0, watchers: 0, online: 0 };
    for (const changes of [{}, { ...largest, ...much }, none, { copies: "reed-solomon" } as const]) {
      for (const line of capacityText(of(changes)).split("\n")) {
        assert.ok(line.length <= 80, `${line.length}: ${line}`);
        assert.doesNotMatch(line, /NaN|Infinity|undefined| $/);
      }
    }
  });

  it("is one line of JSON for programs", () => {
    const json = capacityJson(capacityOf(SEED));
    assert.doesNotMatch(json, /\n|null/);
    const told = JSON.parse(json);
    assert.equal(told.type, "capacity");
    assert.equal(told.payload_bytes, 3.65e15);
    assert.deepEqual(told.asked.copies, 3);
    assert.ok(told.instances.push > told.instances.channel && told.cores.open_streams > 0);
  });
});

describe("What is asked of a plan", () => {
  it("is read as people write it, and the seed's where nothing is said", () => {
    assert.deepEqual(readWorkload({}), SEED);
    const read = readWorkload({ users: "2M", messages: "1_000", online: "50%", reedSolomon: true });
    const asked = { users: 2_000_000, messages: 1_000, online: 0.5, copies: "reed-solomon" };
    assert.deepEqual(read, { ...SEED, ...asked });
  });

  for (const [what, options, sentence] of [
    ["a word", { users: "many" }, "--users many: write a whole number from 1 to 10,000,000,000"],
    ["nothing", { messages: "" }, "--messages : write a number from 0 to 100,000, such as 40"],
    ["a part of a user", { users: "1.5" }, "--users 1.5: write a whole number"],
    ["less than none", { years: "-1" }, "--years -1: write a number from 0 to 100"],
    ["more than all", { online: "120%" }, "--online 120%: write a number from 0 to 1, such as 0.2 or 20%"],
    [
      "a text that no message may have",
      { text: "32769" },
      "--text 32769: write a whole number from 1 to 32,768",
    ],
    ["a thread of one", { members: "1" }, "--members 1: write a number from 2 to 10,000"],
    ["two ways to keep a byte", { replicas: "2", reedSolomon: true }, "--replicas and --reed-solomon: "],
  ] as const) {
    it(`is refused in a sentence: ${what}`, () => {
      const read = readWorkload(options);
      assert.ok("problems" in read);
      assert.deepEqual([read.problems.length, read.problems[0]?.slice(0, sentence.length)], [1, sentence]);
    });
  }

  it("is refused all at once", () => {
    const read = readWorkload({ users: "x", peak: "0", opens: "1e5" });
    assert.equal("problems" in read && read.problems.length, 3);
  });
});
