import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { grpcTransport } from "../../client/grpc/transport.ts";
import { sleep, systemClock } from "../base/clock.ts";
import { hex } from "../base/ids.ts";
import { directThreadId } from "../base/thread-id.ts";
import { Changes } from "./changes.ts";
import { type Addresses, devTokens, HeddleProcess } from "./heddle-process.ts";
import { LoadDevice } from "./load-device.ts";
import { LoadTexts } from "./load-texts.ts";
import { type Log, readLog } from "./log-audit.ts";
import { PlainSender } from "./plain-sender.ts";
import { SeededRandom } from "./seeded-random.ts";
import { SendLedger } from "./send-ledger.ts";
import { Sightings, TappedTransport } from "./tapped-transport.ts";

/** Users with devices. Each talks with the next two around the circle, so that each has four threads. */
const USERS = ["ann", "bob", "cat", "dan", "eve", "fay", "gil", "hal"];
/** Users with two devices, both of which send. */
const TWO_DEVICES = 4;
/** Users on unary calls, and whom they write to. */
const PLAIN: Readonly<Record<string, string>> = { ida: "ann", jan: "bob" };
/** Kills at a moment that counts answers come by then all the same. */
const MOMENT_MS = 4_000;
/** How long the clients may take to be done once nobody disturbs them: their waits grow to some seconds meanwhile. */
const SETTLE_MS = 30_000;

/** bin/heddle under load from clients that retry, killed as its seed says, and started again where it was. */
export class KillTrial {
  readonly ledger: SendLedger;
  readonly texts = new LoadTexts();
  readonly sightings = new Sightings();
  readonly devices: LoadDevice[] = [];
  /** Everything that any of the servers wrote to its log. */
  readonly logLines: string[] = [];
  readonly counts = { starts: 0, killedWhileStarting: 0, cuts: 0, crashes: 0 };
  readonly #random: SeededRandom;
  readonly #folder: string;
  readonly #addresses: Addresses;
  readonly #changes = new Changes();
  readonly #plain: PlainSender[] = [];
  readonly #plainDone: Promise<void>[] = [];
  readonly #closing: (() => unknown)[] = [];
  #server: HeddleProcess | undefined;
  #tokens: Readonly<Record<string, string>> = {};

  private constructor(seed: number, folder: string, addresses: Addresses) {
    this.#random = new SeededRandom(seed);
    this.#folder = folder;
    this.#addresses = addresses;
    this.ledger = new SendLedger(this.#changes.say);
  }

  /** Starts server and clients; resolves when every device has been live once. */
  static async start(seed: number): Promise<KillTrial> {
    const folder = await mkdtemp(join(tmpdir(), "heddle-kill-"));
    const trial = new KillTrial(seed, folder, await freeAddresses());
    try {
      await trial.#begin();
      return trial;
    } catch (thrown) {
      await trial.close();
      throw thrown;
    }
  }

  /** Everybody sends from now on, until they are hushed. */
  load(): void {
    for (const device of this.devices) {
      const at = USERS.indexOf(device.userId);
      device.talk([1, 2].flatMap((step) => [peer(at + step), peer(at - step)]));
    }
    for (const sender of this.#plain) this.#plainDone.push(sender.run());
  }

  /** Waits for the moment that chance has chosen, kills the server there, and starts it again. */
  async kill(): Promise<void> {
    const server = this.#server as HeddleProcess;
    await this.#moment();
    const down = this.#random.some(this.devices, this.#random.between(0, 3));
    // These clients die while their sends are under way; what the server makes of them they learn after its restart.
    const crashing = this.#random.chance(0.5) ? this.#crash(down) : undefined;
    if (crashing) await this.#nextAnswer();
    process.kill(server.pid, "SIGKILL");
    this.ledger.killed();
    await server.stop("SIGKILL");
    this.logLines.push(...server.stderr);
    await (crashing ?? this.#crash(down));
    await this.#restart();
    await Promise.all(down.map((device) => device.start()));
    for (const device of this.#random.some(this.devices, this.#random.between(0, 6)))
      device.client.foreground();
  }

  /** Nobody sends anything new; resolves when the outcome of every send is known and every device has every entry. */
  async settle(): Promise<ReadonlyMap<string, Log>> {
    for (const device of this.devices) device.hush();
    for (const sender of this.#plain) sender.hush();
    for (const device of this.devices) device.client.foreground();
    const pending = () => this.devices.filter((device) => device.pending > 0).map(({ name }) => name);
    await this.#changes.until(
      "all sends are through",
      () => pending().length === 0 && this.ledger.unknown().length === 0,
      SETTLE_MS,
      () => `waiting: ${pending()}, unknown: ${this.ledger.unknown()}`,
    );
    await Promise.all(this.#plainDone);
    const logs = await this.logs();
    for (const device of this.devices) {
      for (const threadId of this.threadsOf(device.userId)) {
        const all = logs.get(threadId)?.entries.length ?? 0;
        await this.#changes.until(
          `${device.name} has ${threadId}`,
          () => device.diary.highest(threadId) >= all,
          SETTLE_MS,
          () => `it has ${device.diary.highest(threadId)} of ${all}`,
        );
      }
    }
    return logs;
  }

  /** Every thread's log, by one of its members. */
  async logs(): Promise<Map<string, Log>> {
    const transport = grpcTransport({ url: this.#addresses.grpcUrl });
    try {
      const logs = new Map<string, Log>();
      for (const userId of Object.keys(this.#tokens)) {
        for (const threadId of this.threadsOf(userId)) {
          if (!logs.has(threadId)) {
            logs.set(threadId, await readLog(transport, this.#tokens[userId] ?? "", threadId));
          }
        }
      }
      return logs;
    } finally {
      transport.close();
    }
  }

  /** A device that nobody has seen before, of each user, with all that it finds. */
  async freshDevices(): Promise<readonly LoadDevice[]> {
    const fresh = USERS.map((userId) => this.#device(userId, "fresh"));
    await Promise.all(fresh.map((device) => device.start()));
    await Promise.all(fresh.map((device) => device.client.ready()));
    return fresh;
  }

  /** Stops the server as a person does, and starts it again. */
  async restart(): Promise<void> {
    await this.#server?.stop("SIGTERM");
    this.logLines.push(...(this.#server?.stderr ?? []));
    await this.#restart();
  }

  /** The ids of a user's threads, in hex. */
  threadsOf(userId: string): readonly string[] {
    const at = USERS.indexOf(userId);
    const around = at < 0 ? [] : [1, 2].flatMap((step) => [peer(at + step), peer(at - step)]);
    const plain = Object.entries(PLAIN).flatMap(([from, to]) =>
      from === userId ? [to] : to === userId ? [from] : [],
    );
    return [...around, ...plain].map((other) => hex(directThreadId(userId, other)));
  }

  /** Ends every client and process, and removes every file. */
  async close(): Promise<void> {
    for (const sender of this.#plain) sender.stop();
    for (const close of this.#closing) await close();
    await this.#server?.stop("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #begin(): Promise<void> {
    await this.#restart();
    this.#tokens = await devTokens(this.#addresses.webUrl, [...USERS, ...Object.keys(PLAIN)]);
    USERS.forEach((userId, at) => {
      const names = at < TWO_DEVICES ? ["phone", "laptop"] : ["phone"];
      for (const deviceId of names) this.devices.push(this.#device(userId, deviceId));
    });
    for (const [userId, to] of Object.entries(PLAIN)) this.#plain.push(this.#plainSender(userId, to));
    await Promise.all(this.devices.map((device) => device.start()));
    await Promise.all(this.devices.map((device) => device.client.ready()));
    // Once more, so that each has on disk that it was caught up: from now on all entries are news to it.
    await Promise.all(this.devices.map((device) => device.close()));
    await Promise.all(this.devices.map((device) => device.start()));
    await Promise.all(this.devices.map((device) => device.client.ready()));
  }

  #device(userId: string, deviceId: string): LoadDevice {
    const device = new LoadDevice({
      userId,
      deviceId,
      token: this.#tokens[userId] ?? "",
      grpcUrl: this.#addresses.grpcUrl,
      folder: this.#folder,
      random: this.#random,
      ledger: this.ledger,
      sightings: this.sightings,
      texts: this.texts,
      changed: this.#changes.say,
    });
    this.#closing.push(() => device.close());
    return device;
  }

  #plainSender(userId: string, to: string): PlainSender {
    const { ledger, sightings, texts } = this;
    const taps = { userId, device: `${userId}/plain`, ledger, sightings };
    const transport = new TappedTransport(grpcTransport({ url: this.#addresses.grpcUrl }), taps);
    this.#closing.push(() => transport.close());
    const token = this.#tokens[userId] ?? "";
    return new PlainSender({ userId, to, token, transport, ledger, texts, random: this.#random });
  }

  /** A time after the start, however far the clients are; or so many answers later, when they are all at work. */
  async #moment(): Promise<void> {
    if (this.#random.chance(0.3)) {
      await sleep(systemClock, this.#random.between(0, 600));
      return;
    }
    const due = this.ledger.counts.acknowledged + this.#random.between(1, 400);
    const cuts = this.#random.some(this.devices, this.#random.between(0, 3));
    const half = Math.floor((this.ledger.counts.acknowledged + due) / 2);
    await this.#answers(half);
    this.counts.cuts += cuts.length;
    for (const device of cuts) device.cut();
    await this.#answers(due);
  }

  #nextAnswer(): Promise<void> {
    return this.#answers(this.ledger.counts.acknowledged + 1);
  }

  async #answers(count: number): Promise<void> {
    const isThere = () => this.ledger.counts.acknowledged >= count;
    await this.#changes.until("answers", isThere, MOMENT_MS).catch(() => {});
  }

  async #crash(devices: readonly LoadDevice[]): Promise<void> {
    this.counts.crashes += devices.length;
    await Promise.all(devices.map((device) => device.crash()));
  }

  /** Now and then a start is killed too, before it serves. */
  async #restart(): Promise<void> {
    while (this.counts.starts > 0 && this.#random.chance(0.15)) await this.#killStarting();
    this.counts.starts += 1;
    this.#server = await HeddleProcess.start(join(this.#folder, "data"), { again: this.#addresses });
  }

  async #killStarting(): Promise<void> {
    const afterMs = this.#random.between(50, 500);
    let cancel = () => {};
    const starting = HeddleProcess.start(join(this.#folder, "data"), {
      again: this.#addresses,
      onSpawn: (kill) => {
        cancel = systemClock.after(afterMs, kill);
      },
    });
    const server = await starting.catch(() => undefined);
    cancel();
    this.counts.killedWhileStarting += 1;
    this.ledger.killed();
    await server?.stop("SIGKILL");
  }
}

function peer(at: number): string {
  return USERS[(at + USERS.length) % USERS.length] as string;
}

/**
 * Free ports that a client's own connections do not get while the server is away: below those that Linux gives out.
 */
async function freeAddresses(): Promise<Addresses> {
  const urls: string[] = [];
  while (urls.length < 3) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    await new Promise<void>((resolve) => (isFree ? server.close(() => resolve()) : resolve()));
    if (isFree) urls.push(`http://127.0.0.1:${port}`);
  }
  const [grpcUrl = "", webUrl = "", adminUrl = ""] = urls;
  return { grpcUrl, webUrl, adminUrl };
}
