import type { IEvent, IWatchResponse } from "etcd3";
import type { Clock } from "../../base/clock.ts";
import { afterTurns } from "../../stream/turns.ts";
import type { RegistryChange, RegistryWatcher } from "../registry.ts";
import type { EtcdEndpoint } from "./etcd-endpoints.ts";
import type { EtcdHistory } from "./etcd-history.ts";
import { decodeEntry, instanceKeys, nameOf } from "./etcd-keys.ts";

/** How often a member is asked how far it is, in ms: a paused or cut off one says nothing, and no error comes. */
const PROGRESS_MS = 2_000;

/** How long a member may be silent, in ms. */
const SILENCE_MS = 6_000;

/** How long the start of a watch is waited for, in ms. Its member has just answered a list, so this is rarely in vain. */
const START_MS = 3_000;

/** How long a watch that was refused waits before it says so, in ms: its caller lists and watches again at once. */
const REFUSED_MS = 200;

type WatchStream = Awaited<ReturnType<EtcdEndpoint["etcd"]["watchClient"]["watch"]>>;

export interface EtcdWatchInit {
  readonly endpoint: EtcdEndpoint;
  readonly clock: Clock;
  readonly service: string;
  /** Tells of changes after this one. */
  readonly revision: number;
  readonly history: EtcdHistory;
  readonly watcher: RegistryWatcher;
  /** The endpoint has failed, or said nothing for too long. */
  readonly failed: () => void;
}

/**
 * One watch of one service, on a stream of its own. It is told as ended when etcd no longer keeps what it asks for, when
 * etcd has gone back before it, and when its member fails, is silent or has lost its leader: it is never taken up again
 * elsewhere by itself, since a mirror lists again anyway.
 */
export class EtcdWatch {
  readonly #init: EtcdWatchInit;
  #stream: WatchStream | undefined;
  #isStarted = false;
  #isOver = false;
  #cancelProgress = () => {};
  #cancelSilence: () => void;
  #cancelEnded = () => {};

  constructor(init: EtcdWatchInit) {
    this.#init = init;
    this.#cancelSilence = afterTurns(init.clock, START_MS, () => this.#fail());
    init.endpoint.etcd.watchClient.watch().then(
      (stream) => this.#open(stream),
      () => this.#fail(),
    );
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#close();
    this.#cancelEnded();
  }

  #open(stream: WatchStream): void {
    this.#stream = stream;
    stream.on("error", () => this.#fail()); // Our own cancel comes here too.
    stream.on("end", () => this.#fail());
    stream.on("data", (response: IWatchResponse) => this.#take(response));
    if (this.#isOver) {
      cancel(stream);
      return;
    }
    const { service, revision } = this.#init;
    stream.write({
      create_request: { ...instanceKeys(service), start_revision: String(revision + 1), prev_kv: true },
    });
  }

  #take(response: IWatchResponse): void {
    if (this.#isOver) return;
    this.#heard();
    if (response.created) this.#started(Number(response.header.revision));
    if (response.canceled) this.#end(Number(response.compact_revision) > 0);
    for (const event of response.events) if (!this.#isOver) this.#tell(event);
  }

  /** From a revision that is yet to come etcd would say nothing of all that happens until then. */
  #started(atRevision: number): void {
    this.#isStarted = true;
    if (atRevision < this.#init.revision) this.#end(true);
    else this.#askProgress();
  }

  #tell(event: IEvent): void {
    const change = changeOf(this.#init.service, event);
    if (change === "unknown") this.#end(true);
    if (change === "unknown" || !change) return;
    if (change.kind === "put") {
      this.#init.history.heard({ number: change.entry.incarnation, lease: event.kv.lease });
    }
    this.#init.watcher.changed(change);
  }

  #heard(): void {
    this.#cancelSilence();
    this.#cancelSilence = afterTurns(this.#init.clock, SILENCE_MS, () => this.#fail());
  }

  #askProgress(): void {
    this.#cancelProgress = this.#init.clock.after(PROGRESS_MS, () => {
      this.#stream?.write({ progress_request: {} });
      this.#askProgress();
    });
  }

  #fail(): void {
    if (this.#isOver) return;
    this.#init.failed();
    this.#end(this.#isStarted);
  }

  #end(atOnce: boolean): void {
    this.#close();
    const { clock, watcher } = this.#init;
    this.#cancelEnded = clock.after(atOnce ? 0 : REFUSED_MS, () => watcher.ended());
  }

  #close(): void {
    this.#isOver = true;
    this.#cancelProgress();
    this.#cancelSilence();
    if (this.#stream) cancel(this.#stream);
  }
}

/** The package takes a cancelled stream that was not ended before for a fault of its member, and drops its connections. */
function cancel(stream: WatchStream): void {
  stream.end();
  stream.cancel();
}

/** Undefined for a key that is not ours; "unknown" for one that went, and etcd no longer knows what it held. */
function changeOf(service: string, { type, kv, prev_kv }: IEvent): RegistryChange | "unknown" | undefined {
  const revision = Number(kv.mod_revision);
  if (type === "Put") {
    const entry = decodeEntry(kv.key, kv.value);
    return entry && { kind: "put", entry, revision };
  }
  if (!prev_kv) return "unknown";
  const before = decodeEntry(kv.key, prev_kv.value);
  const name = nameOf(instanceKeys(service), kv.key);
  return before && { kind: "removed", name, incarnation: before.incarnation, revision };
}
