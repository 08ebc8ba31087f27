import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** The way to a TCP server of this machine, which tests cut. */
export class TcpWay {
  readonly #server = createServer((socket) => this.#take(socket));
  readonly #sockets = new Set<Socket>();
  readonly #targetPort: number;
  #isCut = false;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  static async to(targetPort: number): Promise<TcpWay> {
    const way = new TcpWay(targetPort);
    way.#server.listen(0, "127.0.0.1");
    await once(way.#server, "listening");
    return way;
  }

  /** On 127.0.0.1. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets what is connected, and whatever connects from now on. */
  cut(): void {
    this.#isCut = true;
    this.#resetAll();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.#resetAll();
    this.#server.close();
  }

  #take(socket: Socket): void {
    this.#keep(socket);
    if (this.#isCut) {
      socket.resetAndDestroy();
      return;
    }
    const onward = connect(this.#targetPort, "127.0.0.1");
    this.#keep(onward);
    socket.pipe(onward).pipe(socket);
    socket.on("close", () => onward.destroy());
    onward.on("close", () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}); // It closes.
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}
