import { type Etcd3, EtcdLeaseInvalidError, type IKeyValue } from "etcd3";
import type { Clock } from "../../base/clock.ts";
import type {
  Grant,
  Listing,
  Offer,
  Registered,
  Registry,
  RegistryWatcher,
  ServingState,
} from "../registry.ts";
import { decodeCounter, type EtcdCounter, encodeCounter, numberOf, withTaken } from "./etcd-counter.ts";
import type { EtcdCall, EtcdEndpoints } from "./etcd-endpoints.ts";
import { EtcdHistory } from "./etcd-history.ts";
import {
  counterKey,
  decodeEntry,
  encodeEntry,
  instanceKey,
  instanceKeys,
  type KeyRange,
  loadKey,
  loadKeys,
  nameOf,
} from "./etcd-keys.ts";
import { grantLease, keepLeaseAlive, newLease, revokeLease } from "./etcd-leases.ts";
import { EtcdWatch } from "./etcd-watch.ts";

/** How long etcd is waited for, in ms: a registration gives up after 2 s. */
const ANSWER_MS = 1_800;

/** How long a list is waited for, in ms: a mirror gives up after 1 s. */
const LIST_MS = 900;

/**
 * The registry on etcd. Of the package this takes the RPCs alone: leases, watches, retries and the choice of a member are
 * our own (README.md says why). Every call may be made of several members at once, and so has one effect however often
 * it arrives.
 */
export class EtcdRegistry implements Registry {
  readonly #endpoints: EtcdEndpoints;
  readonly #clock: Clock;
  readonly #watches = new Set<EtcdWatch>();
  /** By lease: what was put under it. */
  readonly #held = new Map<string, Registered>();
  /** By service. */
  readonly #histories = new Map<string, EtcdHistory>();
  /** By key: the lease of a registration that was not answered. It may have taken effect, and is asked for again. */
  readonly #unanswered = new Map<string, string>();

  constructor(endpoints: EtcdEndpoints, clock: Clock) {
    this.#endpoints = endpoints;
    this.#clock = clock;
  }

  async register(offer: Offer, above: number): Promise<Grant | "taken"> {
    const place = instanceKey(offer.service, offer.name).toString();
    const lease = this.#unanswered.get(place) ?? newLease();
    this.#unanswered.set(place, lease);
    const incarnation = await this.#ask((etcd, deadline) => takePlace(etcd, deadline, lease, offer, above));
    this.#unanswered.delete(place);
    if (incarnation === "taken") {
      this.revoke(lease).catch(() => {}); // It runs out.
      return "taken";
    }
    this.#held.set(lease, { ...offer, incarnation });
    this.#history(offer.service).heard({ number: incarnation, lease });
    return { lease, incarnation };
  }

  async keepAlive(lease: string): Promise<boolean> {
    const held = this.#held.get(lease);
    if (!held) return false;
    const isAlive = await this.#ask(async (etcd, deadline) => {
      if (!(await keepLeaseAlive(etcd, lease, deadline))) return false;
      const key = instanceKey(held.service, held.name);
      const { kvs } = await etcd.kv.range({ key }, { deadline });
      return kvs.some((kv) => kv.lease === lease && entryOf(kv)?.incarnation === held.incarnation);
    });
    if (!isAlive) this.#held.delete(lease);
    return isAlive;
  }

  async setState(lease: string, state: ServingState): Promise<boolean> {
    const held = this.#held.get(lease);
    if (!held) return false;
    const key = instanceKey(held.service, held.name);
    const entry = { ...held, state };
    const { succeeded } = await this.#ask((etcd, deadline) =>
      etcd.kv.txn(
        {
          compare: [{ key, target: "Lease", result: "Equal", lease }],
          success: [{ request_put: { key, value: encodeEntry(entry), lease } }],
        },
        { deadline },
      ),
    );
    if (succeeded) this.#held.set(lease, entry);
    return succeeded;
  }

  async revoke(lease: string): Promise<void> {
    this.#held.delete(lease);
    await this.#ask((etcd, deadline) => revokeLease(etcd, lease, deadline));
  }

  async list(service: string): Promise<Listing> {
    const history = this.#history(service);
    const read = history.reading();
    const { instances, counter, revision } = await this.#endpoints.ask(LIST_MS, (etcd, deadline) =>
      readService(etcd, deadline, service, instanceKeys(service)),
    );
    read(counter);
    return {
      entries: instances.flatMap((kv) => entryOf(kv) ?? []),
      counter: numberOf(counter),
      revision,
      history: history.number,
    };
  }

  watch(service: string, revision: number, watcher: RegistryWatcher): () => void {
    const endpoint = this.#endpoints.first;
    const watch: EtcdWatch = new EtcdWatch({
      endpoint,
      clock: this.#clock,
      service,
      revision,
      history: this.#history(service),
      watcher: {
        changed: (change) => watcher.changed(change),
        ended: () => {
          this.#watches.delete(watch);
          watcher.ended();
        },
      },
      failed: () => this.#endpoints.moveOn(endpoint),
    });
    this.#watches.add(watch);
    return () => {
      this.#watches.delete(watch);
      watch.stop();
    };
  }

  async tellLoad(lease: string, load: number): Promise<void> {
    const held = this.#held.get(lease);
    if (!held) return;
    const put = { key: loadKey(held.service, held.name), value: Buffer.from(String(load)), lease };
    await this.#ask(async (etcd, deadline) => {
      try {
        await etcd.kv.put(put, { deadline });
      } catch (error) {
        if (!(error instanceof EtcdLeaseInvalidError)) throw error; // Else the next keepalive says so.
      }
    });
  }

  async loads(service: string): Promise<ReadonlyMap<string, number>> {
    const range = loadKeys(service);
    const { kvs } = await this.#endpoints.ask(LIST_MS, (etcd, deadline) =>
      etcd.kv.range(range, { deadline }),
    );
    const loads = kvs.map((kv) => [nameOf(range, kv.key), Number(kv.value.toString())] as const);
    return new Map(loads.filter(([, load]) => Number.isFinite(load)));
  }

  /** Stops every watch and closes every connection. Nothing is asked any more; calls still waited for end at their deadline. */
  close(): void {
    for (const watch of this.#watches) watch.stop();
    this.#watches.clear();
    this.#endpoints.close();
  }

  #history(service: string): EtcdHistory {
    const history = this.#histories.get(service) ?? new EtcdHistory();
    this.#histories.set(service, history);
    return history;
  }

  #ask<T>(call: EtcdCall<T>): Promise<T> {
    return this.#endpoints.ask(ANSWER_MS, call);
  }
}

/** Takes the place under the lease, with the next number of the counter: resolves to the number. */
async function takePlace(
  etcd: Etcd3,
  deadline: Date,
  lease: string,
  offer: Offer,
  above: number,
): Promise<number | "taken"> {
  await grantLease(etcd, lease, deadline);
  const [key, counter] = [instanceKey(offer.service, offer.name), counterKey(offer.service)];
  for (;;) {
    const read = await readService(etcd, deadline, offer.service, { key });
    const [there] = read.instances;
    if (there) return ownNumber(there, lease, offer, above) ?? "taken";
    const incarnation = Math.max(numberOf(read.counter), above) + 1;
    const taken = withTaken(read.counter, { number: incarnation, lease });
    const { succeeded } = await etcd.kv.txn(
      {
        compare: [
          { key, target: "Create", result: "Equal", create_revision: 0 },
          { key: counter, target: "Mod", result: "Equal", mod_revision: read.counterChangedAt },
        ],
        success: [
          { request_put: { key, value: encodeEntry({ ...offer, incarnation }), lease } },
          { request_put: { key: counter, value: encodeCounter(taken) } },
        ],
      },
      { deadline },
    );
    if (succeeded) return incarnation; // Else another took the place, or a number: read again.
  }
}

/** The number, if an earlier try of ours has put the same as is asked for now. */
function ownNumber(there: IKeyValue, lease: string, offer: Offer, above: number): number | undefined {
  const incarnation = entryOf(there)?.incarnation ?? 0;
  const isOurs = there.lease === lease && incarnation > above;
  return isOurs && there.value.equals(encodeEntry({ ...offer, incarnation })) ? incarnation : undefined;
}

interface ServiceRead {
  readonly instances: readonly IKeyValue[];
  readonly counter: EtcdCounter;
  /** At which revision; 0 for none. */
  readonly counterChangedAt: string | number;
  readonly revision: number;
}

/** Instances of a service and its counter, as of one revision. */
async function readService(
  etcd: Etcd3,
  deadline: Date,
  service: string,
  instances: Partial<KeyRange>,
): Promise<ServiceRead> {
  const reads = [{ request_range: instances }, { request_range: { key: counterKey(service) } }];
  const { header, responses } = await etcd.kv.txn({ success: reads }, { deadline });
  const [found = [], [counter] = []] = responses.map(({ response_range }) => response_range?.kvs ?? []);
  return {
    instances: found,
    counter: decodeCounter(counter?.value),
    counterChangedAt: counter?.mod_revision ?? 0,
    revision: Number(header.revision),
  };
}

function entryOf({ key, value }: IKeyValue): Registered | undefined {
  return decodeEntry(key, value);
}
