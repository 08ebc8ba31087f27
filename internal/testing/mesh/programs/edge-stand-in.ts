import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { connect } from "node:tls";
import type { CertificateFiles } from "./mesh-certificates.ts";

/**
 * What stands for the edge where a test has none: it takes clients' bytes in clear, and carries them to a program with the
 * edge's certificate. One port for each listener of a program.
 */
export class EdgeStandIn {
  readonly #files: CertificateFiles;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  /** By the address of the program. */
  readonly #ports = new Map<string, string>();

  constructor(files: CertificateFiles) {
    this.#files = files;
  }

  /** Where clients reach what listens there: host:port. Throws where `carry` was not called. */
  at(address: string): string {
    const port = this.#ports.get(address);
    if (port === undefined) throw new Error(`nothing is carried to ${address}`);
    return port;
  }

  /** Carries clients to that address from now on. */
  async carry(address: string, protocol: "h2" | "http/1.1"): Promise<void> {
    if (this.#ports.has(address)) return;
    const server = createServer((socket) => this.#join(socket, address, protocol)).listen(0, "127.0.0.1");
    this.#servers.push(server);
    await once(server, "listening");
    this.#ports.set(address, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(socket: Socket, address: string, protocol: string): void {
    const [host = "", port] = address.split(":");
    const { certificate, key, ca } = this.#files;
    const far = connect({
      host,
      port: Number(port),
      cert: readFileSync(certificate),
      key: readFileSync(key),
      ca: readFileSync(ca),
      servername: "localhost",
      ALPNProtocols: [protocol],
    });
    for (const [one, other] of [
      [socket, far],
      [far, socket],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
