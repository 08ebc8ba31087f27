import assert from "node:assert/strict";
import { isIP } from "node:net";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Mirror } from "../registry/mirror.ts";
import { Registration } from "../registry/registration.ts";
import { LEASE_MS } from "../registry/registry.ts";
import { SharedRegistry, SharedRegistryClient } from "../registry/shared-registry.ts";
import { FakeClock } from "../testing/fakes/time/fake-clock.ts";
import { quiet } from "../testing/worlds/interleaving.ts";
import { Assignments } from "./assignments.ts";
import {
  ASSIGNMENT_TYPE,
  assignmentBytes,
  type DiscoveryRequest,
  type Endpoint,
  readDiscoveryRequest,
} from "./discovery-frames.ts";
import { EnvoyStream } from "./envoy-stream.ts";

/** A registry with its clock, and a control plane beside it. */
class World {
  readonly clock = new FakeClock();
  readonly shared = new SharedRegistry(this.clock);
  readonly registry = new SharedRegistryClient(this.shared);
  readonly unfit: string[] = [];
  readonly mirrors: Record<string, Mirror>;
  readonly assignments: Assignments;

  constructor(...services: string[]) {
    const { registry, clock } = this;
    const named = services.map((service) => [service, new Mirror({ registry, clock, service })] as const);
    this.mirrors = Object.fromEntries(named);
    const onUnfit = (service: string, name: string) => this.unfit.push(`${service}/${name}`);
    this.assignments = new Assignments({ places: this.mirrors, isIp: (host) => isIP(host) > 0, onUnfit });
  }

  async load(): Promise<void> {
    await Promise.all(Object.values(this.mirrors).map((mirror) => mirror.start()));
  }

  /** Registers an instance, with `port` for gRPC and the next one for web. */
  async join(service: string, name: string, port: number, host = "127.0.0.1"): Promise<Registration> {
    const { registry, clock } = this;
    const details = { grpc: `${host}:${port}`, web: `${host}:${port + 1}` };
    const offer = { service, name, address: "", build: "", details };
    const registration = new Registration({ registry, clock, offer });
    await registration.start();
    await quiet();
    return registration;
  }

  /** An Envoy that asks for clusters, and takes what it is sent. */
  envoy(...names: string[]): TestEnvoy {
    return new TestEnvoy(this.assignments, names);
  }
}

/** An Envoy at the other end of a stream. */
class TestEnvoy {
  /** What it was sent, answer by answer: names of clusters with the ports of their endpoints. */
  readonly heard: Record<string, Uint8Array>[] = [];
  readonly refused: string[] = [];
  readonly unknown: string[] = [];
  readonly stream: EnvoyStream;
  isReading = true;
  #nonce = "";
  #names: readonly string[];

  constructor(assignments: Assignments, names: readonly string[]) {
    this.#names = names;
    this.stream = new EnvoyStream({
      assignments,
      send: (bytes) => {
        this.#hear(bytes);
        return this.isReading;
      },
      onRefused: (node, why) => this.refused.push(`${node}: ${why}`),
      onUnknown: (node, what) => this.unknown.push(`${node}: ${what}`),
    });
    assignments.onChange(() => this.stream.tell());
    this.ask({});
  }

  /** Asks for its clusters, as an answer to the newest it has heard unless `changes` say otherwise. */
  ask(changes: Partial<DiscoveryRequest>): void {
    if (changes.names) this.#names = changes.names;
    const base = { nodeId: "edge-1", typeUrl: ASSIGNMENT_TYPE, names: this.#names, nonce: this.#nonce };
    this.stream.take({ ...base, refusal: undefined, ...changes });
  }

  get last(): Record<string, Uint8Array> | undefined {
    return this.heard.at(-1);
  }

  #hear(bytes: Uint8Array): void {
    const resources: Record<string, Uint8Array> = {};
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field] = reader.tag();
      const value = reader.bytes();
      if (field === 5) this.#nonce = Buffer.from(value).toString();
      if (field !== 2) continue;
      const any = new BinaryReader(value);
      any.tag();
      assert.equal(any.string(), ASSIGNMENT_TYPE);
      any.tag();
      const assignment = any.bytes();
      const inner = new BinaryReader(assignment);
      inner.tag();
      resources[inner.string()] = assignment;
    }
    this.heard.push(resources);
  }
}

function endpoints(cluster: string, service: string, ...at: (readonly [string, number])[]): Uint8Array {
  const all = at.map(([name, port]) => endpoint(service, name, port));
  return assignmentBytes(cluster, all);
}

function endpoint(service: string, name: string, port: number, isDraining = false): Endpoint {
  return { host: "127.0.0.1", port, isDraining, metadata: { [service]: name } };
}

describe("The control plane", () => {
  it("says nothing of a service until the registry has told of it, then that there is none", async () => {
    const world = new World("push", "message");
    const envoy = world.envoy("push", "push-web");
    assert.deepEqual(envoy.heard, []);
    await world.mirrors.push?.start();
    assert.deepEqual(envoy.last, {
      push: endpoints("push", "push"),
      "push-web": endpoints("push-web", "push"),
    });
    assert.equal(envoy.heard.length, 1, "both clusters in one answer");
  });

  it("tells who joins and who leaves as it happens, and only what changed", async () => {
    const world = new World("push", "message");
    await world.load();
    const envoy = world.envoy("push", "push-web", "message");
    const first = await world.join("push", "push-1", 1000);
    assert.deepEqual(envoy.last, {
      push: endpoints("push", "push", ["push-1", 1000]),
      "push-web": endpoints("push-web", "push", ["push-1", 1001]),
    });
    await world.join("push", "push-2", 2000);
    const heard = envoy.heard.length;
    await first.leaving();
    await quiet();
    assert.equal(envoy.heard.length, heard, "a push server that is leaving stays routable");
    await first.revoke();
    await quiet();
    assert.deepEqual(envoy.last?.push, endpoints("push", "push", ["push-2", 2000]));
  });

  it("tells of one that leaves as draining, where any instance will do, and never of a push server", async () => {
    const world = new World("push", "message");
    await world.load();
    const envoy = world.envoy("push", "message");
    const [push, message] = [
      await world.join("push", "push-1", 1000),
      await world.join("message", "message-1", 3000),
    ];
    const heard = envoy.heard.length;
    await push.leaving();
    await message.leaving();
    await quiet();
    assert.equal(envoy.heard.length, heard + 1);
    const draining = endpoint("message", "message-1", 3000, true);
    assert.deepEqual(envoy.last, { message: assignmentBytes("message", [draining]) });
  });

  it("keeps what it knew while the registry is away, and for a lease time when it was put back empty", async () => {
    const world = new World("push");
    await world.load();
    const registration = await world.join("push", "push-1", 1000);
    const envoy = world.envoy("push");
    world.shared.setAway(true);
    world.clock.advance(10 * LEASE_MS);
    await quiet();
    registration.stop();
    world.shared.setAway(false);
    world.shared.restore();
    await quiet();
    assert.equal(envoy.heard.length, 1);
    world.clock.advance(LEASE_MS - 1);
    await quiet();
    assert.equal(envoy.heard.length, 1);
    world.clock.advance(1);
    assert.deepEqual(envoy.last, { push: endpoints("push", "push") });
  });

  it("tells every Envoy, each what it asked for, and what it asks for later", async () => {
    const world = new World("push", "message");
    await world.load();
    const [one, two] = [world.envoy("push"), world.envoy("message")];
    await world.join("message", "message-1", 3000);
    assert.equal(one.heard.length, 1);
    assert.deepEqual(two.last, { message: endpoints("message", "message", ["message-1", 3000]) });
    one.ask({ names: ["push", "message"] });
    assert.deepEqual(Object.keys(one.last ?? {}), ["message"]);
    one.ask({ names: ["push"] });
    one.ask({ names: ["push", "message"] });
    assert.equal(one.heard.length, 3, "what was not wanted meanwhile is told again");
  });

  it("logs what an Envoy refuses, and repeats it only when it has changed", async () => {
    const world = new World("push");
    await world.load();
    const envoy = world.envoy("push");
    envoy.ask({ refusal: "malformed IP address" });
    assert.deepEqual(envoy.refused, ["edge-1: malformed IP address"]);
    assert.equal(envoy.heard.length, 1);
    await world.join("push", "push-1", 1000);
    assert.equal(envoy.heard.length, 2);
  });

  it("takes no names from an answer to what was overtaken", async () => {
    const world = new World("push", "message");
    await world.load();
    const envoy = world.envoy("push", "message");
    await world.join("push", "push-1", 1000);
    envoy.ask({ nonce: "1", names: ["message"] });
    await world.join("push", "push-2", 2000);
    assert.equal(envoy.heard.length, 3);
  });

  it("holds an Envoy that does not read, and then tells it once what has changed", async () => {
    const world = new World("push");
    await world.load();
    const envoy = world.envoy("push");
    envoy.isReading = false;
    for (let at = 1; at <= 5; at++) await world.join("push", `push-${at}`, at * 1000);
    assert.equal(envoy.heard.length, 2);
    envoy.isReading = true;
    envoy.stream.drained();
    assert.equal(envoy.heard.length, 3);
    envoy.stream.drained();
    assert.equal(envoy.heard.length, 3);
  });

  it("leaves out those that Envoy could not take, and tells of each once", async () => {
    const world = new World("push");
    await world.load();
    const envoy = world.envoy("push");
    await world.join("push", "push-1", 1000, "push.example");
    await world.join("push", "push-2", 2000);
    assert.deepEqual(envoy.last, { push: endpoints("push", "push", ["push-2", 2000]) });
    assert.deepEqual(world.unfit, ["push/push-1", "push/push-1"], "its gRPC address and its web address");
  });

  it("gives an address to the newest that has it", async () => {
    const world = new World("push");
    await world.load();
    const envoy = world.envoy("push");
    await world.join("push", "push-b", 1000);
    await world.join("push", "push-a", 1000);
    assert.deepEqual(envoy.last, { push: endpoints("push", "push", ["push-a", 1000]) });
  });

  it("says where an Envoy asks for what nobody serves", async () => {
    const world = new World("push");
    const envoy = world.envoy("push", "pusj");
    envoy.ask({ typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster" });
    assert.equal(envoy.unknown.length, 2);
    assert.match(envoy.unknown[0] ?? "", /^edge-1: pusj$/);
  });
});

describe("Envoy's requests", () => {
  it("are read field by field, and what is not known in them is passed over", () => {
    const writer = new BinaryWriter();
    writer.tag(1, WireType.LengthDelimited).string("7");
    writer.tag(2, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string("edge-1").tag(2, WireType.LengthDelimited).string("edge");
    writer.join();
    for (const name of ["push", "message"]) writer.tag(3, WireType.LengthDelimited).string(name);
    writer.tag(4, WireType.LengthDelimited).string(ASSIGNMENT_TYPE);
    writer.tag(5, WireType.LengthDelimited).string("7");
    writer.tag(6, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).int32(3).tag(2, WireType.LengthDelimited).string("no");
    writer.join();
    writer.tag(99, WireType.Varint).int32(3);
    assert.deepEqual(readDiscoveryRequest(writer.finish()), {
      nodeId: "edge-1",
      typeUrl: ASSIGNMENT_TYPE,
      names: ["push", "message"],
      nonce: "7",
      refusal: "no",
    });
  });

  it("that are none are refused", () => {
    assert.throws(() => readDiscoveryRequest(Uint8Array.of(0x12, 0xff)));
  });
});
