import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { CertificateFiles } from "../../engines/certificates/kept-certificates.ts";

/** mTLS before a plain listener, as a program of the mesh has it: Envoy's certificate is demanded, and no other's taken. */
export class TlsFront {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket | TLSSocket>();

  private constructor(server: Server, plainPort: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("secureConnection", (socket) => this.#join(socket, plainPort));
  }

  /** `protocol`: what its connections speak, as ALPN names it. */
  static async start(
    files: CertificateFiles,
    protocol: "h2" | "http/1.1",
    plainPort: number,
  ): Promise<TlsFront> {
    const server = createServer({
      cert: readFileSync(files.certificate),
      key: readFileSync(files.key),
      ca: readFileSync(files.ca),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.3",
      ALPNProtocols: [protocol],
    });
    server.on("tlsClientError", () => {}); // A refused handshake is its client's to notice.
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new TlsFront(server, plainPort);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Cuts every connection and takes no more, as when the program is killed. */
  kill(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Passes nothing on in either direction, and answers nothing, as when the program is stopped. */
  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  #join(client: TLSSocket, plainPort: number): void {
    const { subjectaltname = "" } = client.getPeerCertificate();
    if (subjectaltname.split(", ")[0] !== "URI:spiffe://heddle/envoy") {
      client.destroy();
      return;
    }
    const program = connect(plainPort, "127.0.0.1");
    for (const [socket, other] of [
      [client, program],
      [program, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {}); // "close" follows.
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
