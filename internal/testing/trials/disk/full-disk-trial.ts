import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { grpcTransport } from "../../../../client/grpc/transport.ts";
import type { Transport } from "../../../../client/transport/transport.ts";
import { asError } from "../../../../client/transport/wire.ts";
import { sleep, systemClock } from "../../../base/clock.ts";
import { ErrorReason, type HeddleError } from "../../../base/heddle-error.ts";
import { hex, newUuid } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { GatewayService } from "../../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { place } from "../../fakes/client/tapped-transport.ts";
import { SeededRandom, testSeed } from "../../fakes/time/seeded-random.ts";
import type { LoadDevice } from "../load/load-device.ts";
import { LoadTrial } from "../load/load-trial.ts";
import { type Log, readLog } from "../load/log-audit.ts";
import { devTokens, HeddleProcess } from "../programs/heddle-process.ts";
import type { SmallDisk } from "./small-disk.ts";

/** The size of the disk. */
export const DISK_MIB = 16;
/** Acknowledged before the disk is filled. */
const LOADED = 100;
/** How long anything may take that is not measured. */
const SOON_MS = 60_000;
/** How often it is looked whether there is room again, in ms: no event tells of that. */
const POLL_MS = 50;

/** bin/heddle with its data on a small disk, under load from ann and bob, who has two devices. */
export class FullDiskTrial extends LoadTrial {
  readonly #raw: { readonly clientId: Uint8Array; readonly text: string; attempt: number };
  readonly #disk: SmallDisk;
  readonly #transport: Transport;
  readonly #tokens: Readonly<Record<string, string>>;
  #server: HeddleProcess;

  private constructor(
    disk: SmallDisk,
    folder: string,
    server: HeddleProcess,
    tokens: Readonly<Record<string, string>>,
  ) {
    super(folder, new SeededRandom(testSeed())); // The outboxes are not on the small disk.
    this.#disk = disk;
    this.#server = server;
    this.#tokens = tokens;
    this.#transport = grpcTransport({ url: server.addresses.grpcUrl });
    const text = this.texts.make("ann", hex(directThreadId("ann", "bob")), this.random);
    this.#raw = { clientId: newUuid(Date.now()), text, attempt: 0 };
    this.devices.push(
      this.#device("ann", "phone"),
      this.#device("bob", "phone"),
      this.#device("bob", "laptop"),
    );
  }

  static async start(disk: SmallDisk): Promise<FullDiskTrial> {
    const server = await HeddleProcess.start(join(disk.folder, "data"), { launcher: disk.launcher });
    const folder = await mkdtemp(join(tmpdir(), "heddle-full-disk-"));
    const tokens = await devTokens(server.addresses.webUrl, ["ann", "bob"]);
    const trial = new FullDiskTrial(disk, folder, server, tokens);
    try {
      await Promise.all(trial.devices.map((device) => device.start()));
      await Promise.all(trial.devices.map((device) => device.client.ready()));
      return trial;
    } catch (thrown) {
      await trial.close();
      throw thrown;
    }
  }

  /** Everybody sends, from now on; resolves when a few hundred are in the log. */
  async load(): Promise<void> {
    for (const device of this.devices) device.talk(device.userId === "ann" ? ["bob"] : ["ann"]);
    const isLoaded = () => this.ledger.counts.acknowledged >= LOADED;
    await this.changes.until("the load", isLoaded, SOON_MS);
  }

  /** Fills the disk under the load; resolves when each device was told so. */
  async fill(): Promise<void> {
    this.#disk.fill();
    const isTold = (device: LoadDevice) =>
      device.client.outbox().some(({ error }) => error?.reason === ErrorReason.STORE_UNAVAILABLE);
    await this.changes.until("everybody is told", () => this.devices.every(isTold), SOON_MS);
  }

  /** Makes room, and repeats the raw send until it is taken and the program calls itself ready. In ms, from the moment. */
  async free(withinMs: number): Promise<number> {
    const startedMs = performance.now();
    this.#disk.free();
    while (performance.now() - startedMs < withinMs) {
      const { error } = await this.rawSend();
      if (!error && (await this.admin("readyz")).status === 200) break;
      await sleep(systemClock, POLL_MS);
    }
    return performance.now() - startedMs;
  }

  /** Nobody sends anything new; resolves when every send is through and every device has every entry. */
  async settle(): Promise<ReadonlyMap<string, Log>> {
    for (const device of this.devices) device.hush();
    const pending = () => this.devices.filter((device) => device.pending > 0).map(({ name }) => name);
    const isThrough = () => pending().length === 0 && this.ledger.unknown().length === 0;
    await this.changes.until("all sends are through", isThrough, SOON_MS, () => `waiting: ${pending()}`);
    const logs = await this.logs();
    for (const [threadId, { entries }] of logs) {
      const hasAll = (device: LoadDevice) => device.diary.highest(threadId) >= entries.length;
      await this.changes.until("all entries", () => this.devices.every(hasAll), SOON_MS);
    }
    return logs;
  }

  /** The log of the one thread. */
  async logs(): Promise<ReadonlyMap<string, Log>> {
    const threadId = hex(directThreadId("ann", "bob"));
    return new Map([[threadId, await readLog(this.#transport, this.#tokens.ann ?? "", threadId)]]);
  }

  /**
   * Tries the one send of no client library, under its one client_id. The error of the try, if it had one, and how
   * long that took.
   */
  async rawSend(): Promise<{ readonly error: HeddleError | undefined; readonly tookMs: number }> {
    const { clientId, text } = this.#raw;
    const lane = {};
    this.#raw.attempt += 1;
    this.ledger.tried(hex(clientId), "ann/raw", lane);
    const startedMs = performance.now();
    let error: HeddleError | undefined;
    try {
      const { threadId, seq, createdAtMs, duplicate } = await this.#transport.call(
        MessageService.method.send,
        {
          target: { case: "toUserId", value: "bob" },
          clientId,
          attempt: this.#raw.attempt,
          body: { kind: { case: "text", value: { text } } },
        },
        this.#as("ann"),
      );
      this.texts.kept(text);
      this.ledger.placed(hex(clientId), "ann/raw", place(threadId, seq, createdAtMs), duplicate);
    } catch (thrown) {
      error = asError(thrown);
      this.ledger.refused(hex(clientId), lane);
    }
    return { error, tookMs: performance.now() - startedMs };
  }

  /** What a device of bob's is told that nobody has seen before; undefined if it may come. */
  async stranger(): Promise<HeddleError | undefined> {
    const request = { deviceId: "stranger" };
    const opening = this.#transport.call(GatewayService.method.openSession, request, this.#as("bob"));
    return opening.then(() => undefined, asError);
  }

  /** A device's client is killed and comes back, caught up. */
  async comesBack(device: LoadDevice): Promise<void> {
    await device.crash();
    await device.start();
    const isLive = () => device.client.state.phase === "live";
    await this.changes.until(`${device.name} is back`, isLive, SOON_MS);
  }

  /** What the admin port says. */
  async admin(path: "healthz" | "readyz"): Promise<{ readonly status: number; readonly said: string }> {
    const response = await fetch(`${this.#server.addresses.adminUrl}/${path}`);
    return { status: response.status, said: (await response.text()).trim() };
  }

  /** The program's log. */
  get logLines(): readonly string[] {
    return this.#server.stderr;
  }

  /** Stops the program as a person does, and starts it again on the same disk. */
  async restart(): Promise<void> {
    await this.#server.stop("SIGTERM");
    this.#server = await HeddleProcess.start(join(this.#disk.folder, "data"), {
      again: this.#server.addresses,
      launcher: this.#disk.launcher,
    });
  }

  /** Ends every client and the program, and removes their files. */
  async close(): Promise<void> {
    for (const device of this.devices) await device.close();
    this.#transport.close();
    await this.#server.stop("SIGKILL");
    await rm(this.folder, { recursive: true, force: true });
  }

  #as(userId: string) {
    return { token: this.#tokens[userId] ?? "", timeoutMs: 12_000, signal: undefined };
  }

  #device(userId: string, deviceId: string): LoadDevice {
    const { grpcUrl } = this.#server.addresses;
    return this.makeDevice({ userId, deviceId, token: this.#tokens[userId] ?? "", grpcUrl });
  }
}
