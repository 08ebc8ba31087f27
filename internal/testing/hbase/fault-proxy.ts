import { connect, createServer, type Server, type Socket } from "node:net";

/** What becomes of bytes on their way: they go on, or the connection ends before they have, or after. */
export type ByteFate = "pass" | "cut before" | "cut after";

/**
 * Stands between a program and servers: each of them gets a listener of its own. Cuts connections, lets them stand still,
 * and decides for each piece of bytes what becomes of it.
 */
export class FaultProxy {
  /** Asked for each piece of bytes, in both directions. */
  fate: (direction: "out" | "back") => ByteFate = () => "pass";
  readonly #ports = new Map<string, number>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #isStalled = false;
  /** Connections that were ended by us. */
  cuts = 0;

  /** For servers by their names, "host:port". */
  static async before(addresses: readonly string[]): Promise<FaultProxy> {
    const proxy = new FaultProxy();
    await Promise.all(addresses.map((address) => proxy.#listen(address)));
    return proxy;
  }

  /** Where a program finds the server instead. Throws where there is no listener for it. */
  readonly findRoute = (address: string): { readonly host: string; readonly port: number } => {
    const port = this.#ports.get(address);
    if (port === undefined) throw new Error(`nobody stands before ${address}`);
    return { host: "127.0.0.1", port };
  };

  /** Ends all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.cuts++;
  }

  /** Bytes come in and go nowhere, on old connections and new ones, until `resume`. */
  stall(): void {
    this.#isStalled = true;
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#isStalled = false;
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    this.cut();
    for (const server of this.#servers) server.close();
  }

  #listen(address: string): Promise<void> {
    const colon = address.lastIndexOf(":");
    const target = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
    const server = createServer((client) => {
      const upstream = connect({ ...target, noDelay: true });
      client.setNoDelay(true);
      this.#join(client, upstream, "out");
      this.#join(upstream, client, "back");
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => {
        this.#ports.set(address, (server.address() as { port: number }).port);
        resolve();
      });
    });
  }

  #join(from: Socket, to: Socket, direction: "out" | "back"): void {
    this.#sockets.add(from);
    if (this.#isStalled) from.pause();
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    from.on("data", (bytes) => {
      const fate = this.fate(direction);
      if (fate !== "cut before") to.write(bytes);
      if (fate === "pass") return;
      this.cuts++;
      if (fate === "cut after") to.end();
      else to.destroy();
      from.destroy();
    });
  }
}
