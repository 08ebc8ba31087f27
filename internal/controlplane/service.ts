import { isIP } from "node:net";
import { Code, ErrorReason, HeddleError } from "../base/heddle-error.ts";
import type { Logger } from "../base/log.ts";
import type { ByteStream } from "../rpc/calls/byte-stream.ts";
import { bind, type ServiceBinding } from "../rpc/calls/handlers.ts";
import { insider } from "../rpc/calls/internal-services.ts";
import { AggregatedDiscoveryService } from "./aggregated-discovery.ts";
import { Assignments } from "./assignments.ts";
import { readDiscoveryRequest } from "./discovery-frames.ts";
import { EnvoyStream } from "./envoy-stream.ts";
import type { Places } from "./ports.ts";

/** Streams at a time, far above the Envoys of a mesh. */
const MAX_STREAMS = 1_000;

export interface ControlPlaneInit {
  /** Who serves what, by the word of the service. */
  readonly places: Readonly<Record<string, Places>>;
  readonly log: Logger;
}

/** What it counts, for metrics. */
export interface ControlPlaneCounts {
  /** Envoys that hold a stream now. */
  readonly envoys: number;
  /** Answers that an Envoy did not take, ever. */
  readonly refused: number;
}

/** Tells Envoys the endpoints of their clusters, by ADS, as soon as they change in the registry. */
export class ControlPlane {
  readonly #log: Logger;
  readonly #assignments: Assignments;
  readonly #streams = new Set<EnvoyStream>();
  #refused = 0;

  constructor({ places, log }: ControlPlaneInit) {
    this.#log = log;
    const onUnfit = (service: string, name: string, why: string) =>
      log.warn(
        { service, name, why },
        "an instance cannot be reached through Envoy; mend its HEDDLE_ADVERTISE_HOST",
      );
    this.#assignments = new Assignments({ places, isIp: (host) => isIP(host) > 0, onUnfit });
    this.#assignments.onChange(() => {
      for (const stream of this.#streams) stream.tell();
    });
  }

  /** The service, for a listener that Envoys alone may dial. */
  get binding(): ServiceBinding {
    return bind(AggregatedDiscoveryService, insider, {
      streamAggregatedResources: (stream: ByteStream) => this.#serve(stream),
    });
  }

  counts(): ControlPlaneCounts {
    return { envoys: this.#streams.size, refused: this.#refused };
  }

  #serve(stream: ByteStream): void {
    if (this.#streams.size >= MAX_STREAMS) {
      const metadata = { queue: "envoys" };
      stream.end(
        new HeddleError(Code.RESOURCE_EXHAUSTED, ErrorReason.OVERLOADED, "too many Envoys", { metadata }),
      );
      return;
    }
    const envoy = new EnvoyStream({
      assignments: this.#assignments,
      send: (bytes) => stream.write(bytes),
      onRefused: (node, why) => {
        this.#refused += 1;
        this.#log.error({ node, why }, "Envoy refuses endpoints, and keeps those that it had");
      },
      onUnknown: (node, what) => this.#log.warn({ node, what }, "Envoy asks for what is not served here"),
    });
    this.#streams.add(envoy);
    stream.onDrain(() => envoy.drained());
    stream.onMessage((bytes) => envoy.take(readDiscoveryRequest(bytes)));
    stream.onHalfClose(() => stream.end());
    stream.onClose(() => this.#streams.delete(envoy));
  }
}
