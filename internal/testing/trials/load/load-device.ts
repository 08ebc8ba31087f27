import { join } from "node:path";
import type { Client } from "../../../../client/api/client.ts";
import { connect } from "../../../../client/api/heddle-client.ts";
import { grpcTransport } from "../../../../client/grpc/transport.ts";
import type { ClientEvent } from "../../../../client/model/model.ts";
import { FileStorage } from "../../../../client/storage/file-storage.ts";
import { CrashingStorage } from "../../fakes/client/crashing-storage.ts";
import { type Sightings, TappedTransport } from "../../fakes/client/tapped-transport.ts";
import type { SeededRandom } from "../../fakes/time/seeded-random.ts";
import { DeviceDiary } from "./device-diary.ts";
import type { LoadTexts } from "./load-texts.ts";
import type { SendLedger } from "./send-ledger.ts";

/** Who a device is, where the server stands, and who keeps account of it. */
export interface LoadDeviceInit {
  readonly userId: string;
  readonly deviceId: string;
  /** A user token that outlasts the test. */
  readonly token: string;
  readonly grpcUrl: string;
  /** Where this device keeps its outbox. */
  readonly folder: string;
  readonly random: SeededRandom;
  readonly ledger: SendLedger;
  readonly sightings: Sightings;
  readonly texts: LoadTexts;
  /** Called after everything that a test may wait for. */
  readonly changed: () => void;
}

/** One life of the client, from its start to its crash or close. */
interface Life {
  readonly client: Client;
  readonly transport: TappedTransport;
  readonly storage: CrashingStorage;
  /** What its client still says is not listened to: nobody hears one who was killed. */
  isOver: boolean;
}

/** Sends that wait per thread: enough that the next is said as soon as one is answered. */
const DEPTH = 3;

/**
 * A device under load: the client library over gRPC with its outbox on disk, which can be cut off from the server, or
 * killed and made again from its files. Keeps what its client gives it.
 */
export class LoadDevice {
  /** The device among all of the test. */
  readonly name: string;
  /** What its user has before them, over all lives. */
  readonly diary: DeviceDiary;
  /** What its clients said went wrong. */
  readonly troubles: string[] = [];
  readonly #init: LoadDeviceInit;
  readonly #random: SeededRandom;
  /** Undefined between a crash and the next start. */
  #life: Life | undefined;
  #isTalking = false;
  #peers: readonly string[] = [];
  #wake: () => void = () => {};

  constructor(init: LoadDeviceInit) {
    this.#init = init;
    this.name = `${init.userId}/${init.deviceId}`;
    this.diary = new DeviceDiary(this.name);
    this.#random = init.random.fork(this.name);
  }

  get userId(): string {
    return this.#init.userId;
  }

  /** The client of now. Throws between a crash and the next start. */
  get client(): Client {
    if (!this.#life) throw new Error(`${this.name} has no client now`);
    return this.#life.client;
  }

  /** Sends that its client has not seen through yet. */
  get pending(): number {
    return this.#life?.client.outbox().length ?? 0;
  }

  /** Makes a client from what the files hold. */
  async start(): Promise<void> {
    const { userId, deviceId, token, grpcUrl, folder, ledger, sightings } = this.#init;
    const storage = new CrashingStorage(await FileStorage.open(join(folder, this.name)));
    const taps = { userId, device: this.name, ledger, sightings };
    const transport = new TappedTransport(grpcTransport({ url: grpcUrl }), taps);
    this.diary.begin();
    const client = await connect({
      userId,
      deviceId,
      transport,
      storage,
      credentials: async () => token,
      catchUp: 1e9, // Every entry comes as an event, so that the diary misses none.
      random: () => this.#random.fraction(),
    });
    const life: Life = { client, transport, storage, isOver: false };
    client.on((event) => this.#hear(life, event));
    this.#life = life;
    if (this.#isTalking) for (const peer of this.#peers) void this.#talk(life, peer);
  }

  /** Keeps sending to each of them, also in later lives. */
  talk(peers: readonly string[]): void {
    this.#isTalking = true;
    this.#peers = peers;
    const life = this.#life;
    if (life) for (const peer of peers) void this.#talk(life, peer);
  }

  /** Sends nothing new. What is in the outbox still goes. */
  hush(): void {
    this.#isTalking = false;
    this.#wake();
  }

  /** Its streams end without a word; the client goes on. */
  cut(): void {
    this.#life?.transport.cut();
  }

  /** Its client is killed: what it had not written is gone, what was on its way to it never arrives. */
  async crash(): Promise<void> {
    const life = this.#end();
    if (!life) return;
    life.transport.cut();
    await Promise.all([life.storage.crash(), life.client.close()]);
  }

  /** Its client ends in order; what waits stays in the files. */
  async close(): Promise<void> {
    await this.#end()?.client.close();
  }

  #end(): Life | undefined {
    const life = this.#life;
    this.#life = undefined;
    if (life) life.isOver = true;
    this.#wake();
    return life;
  }

  #hear(life: Life, event: ClientEvent): void {
    if (life.isOver) return;
    if (event.type === "entry") this.diary.give(event.entry);
    else if (event.type === "trouble") this.troubles.push(`${this.name}: ${event.error.message}`);
    else if (event.type === "behind" || event.type === "behind_all") {
      this.troubles.push(`${this.name}: ${event.type}`);
    } else if (event.type === "outbox" && event.item.state === "failed") {
      this.troubles.push(`${this.name}: a send failed: ${event.item.error?.message}`);
    } else if (event.type === "state" && event.state.phase === "signed-out") {
      this.troubles.push(`${this.name}: signed out: ${event.state.reason?.kind}`);
    }
    if (event.type === "outbox") this.#wake();
    this.#init.changed();
  }

  /** Says one text after the other, as long as few of them wait. A text is known before it is given to the client. */
  async #talk(life: Life, peer: string): Promise<void> {
    const { texts, userId } = this.#init;
    const { threadId } = await life.client.direct(peer);
    const waiting = () => life.client.outbox().filter((item) => item.threadId === threadId).length;
    while (this.#isTalking && !life.isOver) {
      if (waiting() >= DEPTH) {
        await this.#change();
        continue;
      }
      const text = texts.make(userId, threadId, this.#random);
      try {
        await life.client.send({ to: peer }, text);
      } catch (thrown) {
        if (life.isOver) return;
        throw thrown;
      }
      texts.kept(text);
    }
  }

  /** Resolves at the next change of the outbox, or of what this device is to do. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#wake;
      this.#wake = () => {
        this.#wake = () => {};
        before();
        resolve();
      };
    });
  }
}
