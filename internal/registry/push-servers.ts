/** A push server as gateways see it. */
export interface PushServer {
  /** Unique; stands in tickets and in the sessions that were opened there. */
  readonly name: string;
  /** Where native clients open Connect. */
  readonly grpcUrl: string;
  /** Where browsers open Subscribe. */
  readonly webUrl: string;
  /** Sessions it holds. */
  readonly load: number;
  /** Sessions it can hold. */
  readonly capacity: number;
}

/** A push server as it registers itself. In one process its load is read when it is asked for. */
export interface PushServerOffer extends Omit<PushServer, "load"> {
  load(): number;
}

/** A push server's place in the registry. */
export interface Registration {
  /** Gives the place up: no new sessions come. */
  revoke(): void;
}

/** Who serves, in one process. Between processes etcd keeps it. */
export class MemoryRegistry {
  readonly #servers = new Map<string, PushServerOffer>();

  /** Those registered now, in no order. */
  pushServers(): readonly PushServer[] {
    return [...this.#servers.values()].map((server) => ({ ...server, load: server.load() }));
  }

  /** Registers a push server. Throws if the name is taken. */
  register(server: PushServerOffer): Registration {
    const { name } = server;
    if (this.#servers.has(name)) throw new Error(`a push server named ${name} is registered already`);
    this.#servers.set(name, server);
    return {
      revoke: () => {
        this.#servers.delete(name);
      },
    };
  }
}
