import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { systemClock } from "../../../base/clock.ts";
import { createLog } from "../../../base/log.ts";
import { ASSIGNMENT_TYPE, assignmentBytes } from "../../../controlplane/discovery-frames.ts";
import { etcdEngine, type RunningEtcd } from "../../../engines/etcd/etcd-engine.ts";
import { openRegistry } from "../../../registry/etcd/open-registry.ts";
import { Registration } from "../../../registry/registration.ts";
import { MeshChild } from "../../../testing/mesh/programs/mesh-child.ts";

/** An Envoy's stream of discovery. */
class Discovery {
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  #heard = Buffer.alloc(0);
  #wake = () => {};

  constructor(address: string, cluster: string) {
    const plain = (bytes: Buffer) => bytes;
    this.#client = new Client(address, credentials.createInsecure());
    const path = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
    this.#stream = this.#client.makeBidiStreamRequest(path, plain, plain);
    this.#stream.on("error", () => {});
    this.#stream.on("data", (bytes: Buffer) => {
      this.#heard = Buffer.concat([this.#heard, bytes]);
      this.#wake();
    });
    const request = new BinaryWriter();
    request.tag(3, WireType.LengthDelimited).string(cluster);
    request.tag(4, WireType.LengthDelimited).string(ASSIGNMENT_TYPE);
    this.#stream.write(Buffer.from(request.finish()));
  }

  /** Resolves when it was told so. */
  async hears(assignment: Uint8Array): Promise<void> {
    while (!this.#heard.includes(assignment)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}

describe("The control plane's program", function () {
  this.timeout(60_000);
  let folder: string;
  let etcd: RunningEtcd;
  let program: MeshChild;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-controlplane-"));
    etcd = await etcdEngine.start({ folder });
    const env = { HEDDLE_NAME: "controlplane-1", HEDDLE_REGISTRY_URL: etcd.url };
    program = await MeshChild.start("controlplane", env);
  });
  after(async () => {
    await program?.stop();
    await etcd?.stop();
    await rm(folder, { recursive: true });
  });

  it("tells endpoints from etcd, counts its Envoys, and keeps what it knows while etcd is away", async () => {
    const log = createLog({ level: "silent" });
    const registry = openRegistry({ url: etcd.url, clock: systemClock, log });
    const details = { grpc: "127.0.0.1:4000", web: "127.0.0.1:4001" };
    const offer = { service: "push", name: "push-1", address: "127.0.0.1:4002", build: "", details };
    const envoy = new Discovery(program.addresses.xds ?? "", "push");
    await envoy.hears(assignmentBytes("push", []));
    const registration = new Registration({ registry, clock: systemClock, offer });
    await registration.start();
    const known = assignmentBytes("push", [
      { host: "127.0.0.1", port: 4000, isDraining: false, metadata: { push: "push-1" } },
    ]);
    await envoy.hears(known);
    assert.match((await program.admin("/metrics")).text, /^heddle_controlplane_envoys 1$/m);
    registration.stop();
    registry.close();
    await etcd.stop();
    const other = new Discovery(program.addresses.xds ?? "", "push");
    await other.hears(known);
    for (const each of [envoy, other]) each.close();
  });
});
