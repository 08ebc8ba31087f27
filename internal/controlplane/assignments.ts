import { assignmentBytes, type Endpoint } from "./discovery-frames.ts";
import type { Place, Places } from "./ports.ts";

/** Services whose instances hold what no other has: calls reach one that leaves until it is gone. */
const sessions: ReadonlySet<string> = new Set(["push"]);

/** A port of a service's instances, as a cluster of Envoy. */
interface ClusterSource {
  readonly service: string;
  /** The detail of a registration that has its address. */
  readonly detail: "grpc" | "web";
}

export interface AssignmentsInit {
  /** By the word of the service. */
  readonly places: Readonly<Record<string, Places>>;
  /** Whether a host is an IP address. */
  readonly isIp: (host: string) => boolean;
  /** An instance that is left out, for Envoy would refuse all of an answer that has it. Called once for each. */
  readonly onUnfit: (service: string, name: string, why: string) => void;
}

/**
 * The endpoints of every cluster, encoded once for all Envoys: `message` has the gRPC ports of the message servers,
 * `message-web` their web ports. All that are registered are there. Those that are leaving answer until they are gone, but
 * where any instance will do another one is asked. Of a service that the registry has not told of yet nothing is said.
 */
export class Assignments {
  readonly #init: AssignmentsInit;
  readonly #sources: ReadonlyMap<string, ClusterSource>;
  readonly #known = new Map<string, Uint8Array>();
  readonly #callbacks = new Set<() => void>();
  /** By cluster, who is left out and was told of. */
  readonly #unfit = new Map<string, ReadonlySet<string>>();

  constructor(init: AssignmentsInit) {
    this.#init = init;
    const services = Object.entries(init.places);
    this.#sources = new Map(
      services.flatMap(([service]): (readonly [string, ClusterSource])[] => [
        [service, { service, detail: "grpc" }],
        [`${service}-web`, { service, detail: "web" }],
      ]),
    );
    for (const [service, places] of services) {
      places.onChange(() => this.#changed(service, places));
      this.#changed(service, places);
    }
  }

  has(cluster: string): boolean {
    return this.#sources.has(cluster);
  }

  /** The same bytes until an endpoint comes or goes. Undefined while the registry has not told of the service. */
  get(cluster: string): Uint8Array | undefined {
    return this.#known.get(cluster);
  }

  /** Calls back when a cluster has changed, until the returned function is called. */
  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  #changed(service: string, places: Places): void {
    const { state, members } = places.view();
    if (state === "not_loaded") return;
    let isNews = false;
    for (const [cluster, source] of this.#sources) {
      if (source.service !== service) continue;
      const bytes = assignmentBytes(cluster, this.#endpoints(cluster, source, members));
      const before = this.#known.get(cluster);
      if (before && Buffer.compare(before, bytes) === 0) continue;
      this.#known.set(cluster, bytes);
      isNews = true;
    }
    if (isNews) for (const callback of [...this.#callbacks]) callback();
  }

  /** In the order of the names. Of two at one address the newer is there: the other's lease has not run out yet. */
  #endpoints(cluster: string, { service, detail }: ClusterSource, members: readonly Place[]): Endpoint[] {
    const byAddress = new Map<string, Place>();
    for (const member of members) {
      const other = byAddress.get(addressOf(member, detail));
      if (!other || other.incarnation < member.incarnation) byAddress.set(addressOf(member, detail), member);
    }
    const endpoints: Endpoint[] = [];
    const unfit = new Set<string>();
    for (const member of members) {
      const address = addressOf(member, detail);
      const parsed = parseAddress(address);
      if (!parsed || !this.#init.isIp(parsed.host)) {
        const who = `${member.name} (${member.incarnation})`;
        unfit.add(who);
        const why = `its ${detail} address is "${address}", and Envoy takes an IP address and a port alone`;
        if (!this.#unfit.get(cluster)?.has(who)) this.#init.onUnfit(service, member.name, why);
      } else if (byAddress.get(address) === member) {
        const isDraining = member.state === "leaving" && !sessions.has(service);
        endpoints.push({ ...parsed, isDraining, metadata: { [service]: member.name } });
      }
    }
    this.#unfit.set(cluster, unfit);
    return endpoints;
  }
}

function addressOf({ details }: Place, detail: "grpc" | "web"): string {
  return details?.[detail] ?? "";
}

/** Undefined if it is no `host:port`. */
function parseAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return port > 0 && port < 65_536 ? { host: bracketed ?? plain ?? "", port } : undefined;
}
