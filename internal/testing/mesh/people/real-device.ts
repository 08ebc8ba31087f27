import { type Client, connect } from "../../../../client/index.ts";
import { grpcTransport } from "../../../../client/node.ts";
import { MemoryStorage } from "../../../../client/storage/memory-storage.ts";
import type { Seen } from "../../sim/judge/history.ts";
import { type ChattingDevice, DeviceNotes } from "../../sim/users/device-notes.ts";
import { CutTransport } from "./cut-transport.ts";

export interface RealDeviceInit {
  readonly name: string;
  readonly user: string;
  /** A user token that outlasts the test. */
  readonly token: string;
  /** Where the gateway and the unary services are: the edge. */
  readonly grpcUrl: string;
  /** PEM of the authority of the edge's certificate, where it has one. */
  readonly ca?: Uint8Array;
  readonly nowMs: () => number;
  readonly history: Seen[];
}

/** A device that chats with real servers: the client library over gRPC, and a storage that outlives its program. */
export class RealDevice implements ChattingDevice {
  readonly name: string;
  readonly user: string;
  readonly notes: DeviceNotes;
  client: Client | undefined;
  readonly #init: RealDeviceInit;
  readonly #storage = new MemoryStorage();
  #transport: CutTransport | undefined;

  constructor(init: RealDeviceInit) {
    this.#init = init;
    this.name = init.name;
    this.user = init.user;
    this.notes = new DeviceNotes(init);
  }

  /** Starts its program. */
  async start(): Promise<void> {
    const { user, name, token, grpcUrl, ca } = this.#init;
    this.#transport = new CutTransport(grpcTransport({ url: grpcUrl, ...(ca && { ca }) }));
    this.notes.begin();
    this.client = await connect({
      userId: user,
      deviceId: name,
      transport: this.#transport,
      credentials: async () => token,
      storage: this.#storage,
    });
    this.client.on((event) => this.notes.hear(event));
  }

  get isLive(): boolean {
    return this.client?.state.phase === "live";
  }

  /** Whether it has a stream to that push server. */
  isAt(pushServer: string): boolean {
    return this.#transport?.isAt(pushServer) ?? false;
  }

  /** Its stream ends; the client goes on by itself. */
  cut(): void {
    this.#transport?.cut();
  }

  /** Its program ends in good order. */
  async close(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.close();
  }
}
