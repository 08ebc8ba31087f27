import type { Clock } from "../../base/clock.ts";
import type { Settings, SettingValues } from "../../base/env.ts";
import type { Logger } from "../../base/log.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { ServeLink } from "../../peers/link-listener.ts";
import { Registration, type RegistrationInit } from "../../registry/registration.ts";
import type { Offer, Registry } from "../../registry/registry.ts";
import type { ServiceBinding } from "../../rpc/calls/handlers.ts";
import type { HttpRoute } from "../../rpc/web/http-route.ts";
import type { Neighbours, ServiceWord } from "../assembly/neighbours.ts";
import { PROGRAM_VERSION } from "../settings/versions.ts";
import type { StopStack } from "../stop-stack.ts";
import type { EVERY_SETTINGS } from "./settings.ts";

/** The word of a program: that of its service, or of one that registers nothing. */
export type ProgramWord = ServiceWord | "controlplane";

/** One program of the mesh, as a list of what it has. */
export interface ProgramKind<S extends Settings = Settings> {
  readonly service: ProgramWord;
  /** Its settings, beside those of every program. Which listeners it has is said by them. */
  readonly settings: S;
  /** It signs the user tokens of the development profile. */
  readonly signsItself?: boolean;
  /** Opens what it needs and constructs its service; each part puts its stop on the program's stack. */
  start(values: SettingValues<S & typeof EVERY_SETTINGS>, program: Program): Serving | Promise<Serving>;
}

/** What a program has constructed, for the listeners to serve. */
export interface Serving {
  /** Serves a link that another program has opened. */
  readonly serve?: ServeLink;
  /** What clients may call. */
  readonly bindings?: readonly ServiceBinding[];
  /** Plain HTTP on the web port. */
  readonly routes?: readonly HttpRoute[];
  /** What Envoys may call. */
  readonly discovery?: ServiceBinding;
  /** Leaves in good order, before the listeners close. */
  readonly leave: () => Promise<void>;
  /** What it serves without, in a sentence. */
  readonly degraded?: () => string | undefined;
  /** Resolves to why it has to start anew. */
  readonly over?: Promise<string>;
}

/** Where a program was bound, as others dial it: host:port. */
export interface Advertised {
  readonly link?: string;
  readonly grpc?: string;
  readonly web?: string;
  readonly xds?: string;
}

export interface ProgramInit {
  readonly service: ProgramWord;
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly stack: StopStack;
  readonly registry: Registry;
  readonly neighbours: Neighbours;
  /** Ends every wait of a start. */
  readonly stopped: AbortSignal;
}

/** What a program of the mesh finds around it while it starts. */
export class Program {
  readonly service: ProgramWord;
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly stack: StopStack;
  readonly registry: Registry;
  readonly neighbours: Neighbours;
  readonly stopped: AbortSignal;
  /** How often its lease was lost. */
  leasesLost = 0;
  #registration: Registration | undefined;
  #advertised: Advertised = {};
  #whenRegistered: () => void = () => {};

  constructor(init: ProgramInit) {
    this.service = init.service;
    this.name = init.name;
    this.clock = init.clock;
    this.log = init.log;
    this.metrics = init.metrics;
    this.stack = init.stack;
    this.registry = init.registry;
    this.neighbours = init.neighbours;
    this.stopped = init.stopped;
  }

  /** Its place in the registry, if it takes one. */
  get registration(): Registration | undefined {
    return this.#registration;
  }

  /**
   * Its place in the registry, which it takes once its listeners stand. `details` are read then: what clients are told by
   * default are the addresses of the listeners. Call it once.
   */
  register(
    hooks: Pick<RegistrationInit, "lost"> = {},
    details: (bound: Advertised) => Readonly<Record<string, string>> = () => ({}),
  ): Registration {
    const { service, name, clock, registry, log } = this;
    const advertised = () => this.#advertised;
    const offer = {
      service,
      name,
      build: PROGRAM_VERSION,
      get address() {
        return advertised().link ?? advertised().grpc ?? "";
      },
      get details() {
        const { grpc, web } = advertised();
        return { ...(grpc && { grpc }), ...(web && { web }), ...details(advertised()) };
      },
    } satisfies Omit<Offer, "state">;
    const registration = new Registration({
      registry,
      clock,
      offer,
      seen: () => this.neighbours.seen(service),
      registered: (incarnation) => {
        log.info({ service, name, incarnation }, "registered");
        this.#whenRegistered();
      },
      lost: () => {
        this.leasesLost++;
        log.warn({ service, name }, "the lease in the registry was lost: registering anew");
        hooks.lost?.();
      },
    });
    this.#registration = registration;
    this.stack.add("registration", () => registration.stop());
    return registration;
  }

  /** Takes the place that it has asked for. Resolves when it is registered. */
  async takePlace(advertised: Advertised): Promise<void> {
    this.#advertised = advertised;
    if (!this.#registration) return;
    const registered = new Promise<void>((resolve) => {
      this.#whenRegistered = resolve;
    });
    await this.#registration.start();
    await registered;
  }
}
