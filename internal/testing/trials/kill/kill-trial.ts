import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { grpcTransport } from "../../../../client/grpc/transport.ts";
import { sleep, systemClock } from "../../../base/clock.ts";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { TappedTransport } from "../../fakes/client/tapped-transport.ts";
import { SeededRandom } from "../../fakes/time/seeded-random.ts";
import type { LoadDevice } from "../load/load-device.ts";
import { LoadTrial } from "../load/load-trial.ts";
import { type Log, readLog } from "../load/log-audit.ts";
import { PlainSender } from "../load/plain-sender.ts";
import { devTokens } from "../programs/heddle-process.ts";
import { KillableHeddle } from "../programs/killable-heddle.ts";

/** Users with devices. Each talks with the next two on either side around the circle. */
const USERS = ["ann", "bob", "cat", "dan", "eve", "fay", "gil", "hal"];
const STEPS = [-2, -1, 1, 2];
/** How many of them have two devices, both of which send. */
const TWO_DEVICES = 4;
/** Users on unary calls, and the users they write to. */
const PLAIN: Readonly<Record<string, string>> = { ida: "ann", jan: "bob" };
/** A kill that waits for answers comes by then all the same. */
const MOMENT_MS = 4_000;
/** How long the clients may take to be done once nobody disturbs them: their waits have grown to some seconds. */
const SETTLE_MS = 60_000;

/** bin/heddle under load from clients that retry, killed as its seed says, and started again where it was. */
export class KillTrial extends LoadTrial {
  readonly counts = { killedWhileStarting: 0, cuts: 0, crashes: 0 };
  readonly #server: KillableHeddle;
  readonly #plain: PlainSender[] = [];
  readonly #plainDone: Promise<void>[] = [];
  readonly #closing: (() => unknown)[] = [];
  #tokens: Readonly<Record<string, string>> = {};

  private constructor(seed: number, folder: string, server: KillableHeddle) {
    super(folder, new SeededRandom(seed));
    this.#server = server;
  }

  /** Starts server and clients; resolves when every device has been live once. */
  static async start(seed: number): Promise<KillTrial> {
    const folder = await mkdtemp(join(tmpdir(), "heddle-kill-"));
    const trial = new KillTrial(seed, folder, await KillableHeddle.on(join(folder, "data")));
    try {
      await trial.#begin();
      return trial;
    } catch (thrown) {
      await trial.close();
      throw thrown;
    }
  }

  /** Everything that any life of the server wrote to its log. */
  get logLines(): readonly string[] {
    return this.#server.logLines;
  }

  /** Everybody sends from now on, until they are hushed. */
  load(): void {
    for (const device of this.devices) device.talk(around(device.userId));
    for (const sender of this.#plain) this.#plainDone.push(sender.run());
  }

  /**
   * Waits for the moment that chance has chosen, kills the server there, and starts it again. Some clients are killed
   * with it: shortly before, with sends under way whose answers they learn after both restarts, or while it is away.
   */
  async kill(): Promise<void> {
    await this.#moment();
    const down = this.random.some(this.devices, this.random.between(0, 3));
    const crashing = this.random.chance(0.5) ? this.#crash(down) : undefined;
    if (crashing) await this.#answers(1);
    const dead = this.#server.stop("SIGKILL");
    this.ledger.killed();
    await dead;
    await (crashing ?? this.#crash(down));
    while (this.random.chance(0.15)) {
      await this.#server.startInVain(this.random.between(50, 500));
      this.counts.killedWhileStarting += 1;
    }
    await this.#server.start();
    await Promise.all(down.map((device) => device.start()));
    for (const device of this.random.some(this.devices, this.random.between(0, 6)))
      device.client.foreground();
  }

  /**
   * Nobody sends anything new; resolves when the outcome of every send is known and every device has every entry. Some
   * devices are away for the last of it, and learn of it only when they come back.
   */
  async settle(): Promise<ReadonlyMap<string, Log>> {
    const away = this.random.some(this.devices, 2);
    await this.#crash(away);
    for (const party of [...this.devices, ...this.#plain]) party.hush();
    for (const device of this.devices) if (!away.includes(device)) device.client.foreground();
    await this.#outboxesEmpty();
    await Promise.all(this.#plainDone);
    await Promise.all(away.map((device) => device.start()));
    await this.#outboxesEmpty();
    const unknown = () => this.ledger.unknown();
    await this.changes.until(
      "all outcomes",
      () => unknown().length === 0,
      SETTLE_MS,
      () => `${unknown()}`,
    );
    const logs = await this.logs();
    for (const device of this.devices) {
      for (const threadId of this.threadsOf(device.userId)) {
        const held = () => device.diary.highest(threadId);
        const all = logs.get(threadId)?.entries.length ?? 0;
        const what = `all of ${threadId} on ${device.name}`;
        await this.changes.until(
          what,
          () => held() >= all,
          SETTLE_MS,
          () => `${held()} of ${all}`,
        );
      }
    }
    return logs;
  }

  /** Every thread's log, by one of its members. */
  async logs(): Promise<Map<string, Log>> {
    const transport = grpcTransport({ url: this.#server.addresses.grpcUrl });
    const logs = new Map<string, Log>();
    try {
      for (const [userId, token] of Object.entries(this.#tokens)) {
        for (const threadId of this.threadsOf(userId)) {
          if (!logs.has(threadId)) logs.set(threadId, await readLog(transport, token, threadId));
        }
      }
      return logs;
    } finally {
      transport.close();
    }
  }

  /** A device that nobody has seen before, of each user. */
  async freshDevices(): Promise<readonly LoadDevice[]> {
    const fresh = USERS.map((userId) => this.#device(userId, "fresh"));
    await Promise.all(fresh.map((device) => device.start()));
    await Promise.all(fresh.map((device) => device.client.ready()));
    return fresh;
  }

  /** Stops the server as a person does, and starts it again. */
  async restart(): Promise<void> {
    await this.#server.stop("SIGTERM");
    await this.#server.start();
  }

  /** The ids of a user's threads, in hex. */
  threadsOf(userId: string): readonly string[] {
    const plain = Object.entries(PLAIN).filter((pair) => pair.includes(userId));
    const others = [...around(userId), ...plain.flat().filter((other) => other !== userId)];
    return others.map((other) => hex(directThreadId(userId, other)));
  }

  /** Ends every client and process, and removes every file. */
  async close(): Promise<void> {
    for (const sender of this.#plain) sender.stop();
    for (const close of this.#closing) await close();
    await this.#server.stop("SIGKILL");
    await rm(this.folder, { recursive: true, force: true });
  }

  async #begin(): Promise<void> {
    await this.#server.start();
    this.#tokens = await devTokens(this.#server.addresses.webUrl, [...USERS, ...Object.keys(PLAIN)]);
    USERS.forEach((userId, at) => {
      const names = at < TWO_DEVICES ? ["phone", "laptop"] : ["phone"];
      for (const deviceId of names) this.devices.push(this.#device(userId, deviceId));
    });
    for (const [userId, to] of Object.entries(PLAIN)) this.#plain.push(this.#plainSender(userId, to));
    // Twice, so that each has on disk that it was caught up: from now on all entries are news to it.
    for (const _ of [1, 2]) {
      await Promise.all(this.devices.map((device) => device.close()));
      await Promise.all(this.devices.map((device) => device.start()));
      await Promise.all(this.devices.map((device) => device.client.ready()));
    }
  }

  #device(userId: string, deviceId: string): LoadDevice {
    const { grpcUrl } = this.#server.addresses;
    const device = this.makeDevice({ userId, deviceId, token: this.#tokens[userId] ?? "", grpcUrl });
    this.#closing.push(() => device.close());
    return device;
  }

  #plainSender(userId: string, to: string): PlainSender {
    const { ledger, sightings, texts } = this;
    const taps = { userId, device: `${userId}/plain`, ledger, sightings };
    const transport = new TappedTransport(grpcTransport({ url: this.#server.addresses.grpcUrl }), taps);
    this.#closing.push(() => transport.close());
    const token = this.#tokens[userId] ?? "";
    return new PlainSender({ userId, to, token, transport, ledger, texts, random: this.random });
  }

  /** A time after the start, however far the clients are; or so many answers later, when they are all at work. */
  async #moment(): Promise<void> {
    if (this.random.chance(0.3)) {
      await sleep(systemClock, this.random.between(0, 600));
      return;
    }
    const cuts = this.random.some(this.devices, this.random.between(0, 3));
    await this.#answers(this.random.between(1, 200));
    this.counts.cuts += cuts.length;
    for (const device of cuts) device.cut();
    await this.#answers(this.random.between(1, 200));
  }

  async #answers(count: number): Promise<void> {
    const due = this.ledger.counts.acknowledged + count;
    const isThere = () => this.ledger.counts.acknowledged >= due;
    await this.changes.until("answers", isThere, MOMENT_MS).catch(() => {});
  }

  #outboxesEmpty(): Promise<void> {
    const full = () => this.devices.filter((device) => device.pending > 0).map(({ name }) => name);
    return this.changes.until(
      "empty outboxes",
      () => full().length === 0,
      SETTLE_MS,
      () => `${full()}`,
    );
  }

  async #crash(devices: readonly LoadDevice[]): Promise<void> {
    this.counts.crashes += devices.length;
    await Promise.all(devices.map((device) => device.crash()));
  }
}

/** The users that a user with devices talks with. */
function around(userId: string): readonly string[] {
  const at = USERS.indexOf(userId);
  if (at < 0) return [];
  return STEPS.map((step) => USERS[(at + step + USERS.length) % USERS.length] as string);
}
