import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type {
  CallOptions,
  Stream,
  StreamOptions,
  Transport,
  UnaryMethod,
} from "../../../../client/transport/transport.ts";
import { unreachable } from "../../../../client/transport/wire.ts";
import { Code, ErrorReason, HeddleError } from "../../../base/heddle-error.ts";
import { PresenceStatus } from "../../../gen/heddle/presence/v1/presence_pb.js";
import {
  type ClientFrame,
  ClientFrameSchema,
  DrainingReason,
  type Event,
  type ServerFrame,
  ServerFrameSchema,
} from "../../../gen/heddle/push/v1/frame_pb.js";
import { runUnary } from "../../../rpc/calls/call-runner.ts";
import type { MeshProcess } from "../mesh/mesh-process.ts";
import { reasonOf } from "../reach/counting.ts";
import type { Engine, Life } from "../time/engine.ts";
import type { SimRandom } from "../time/sim-random.ts";
import { callerOf } from "../users/sim-credentials.ts";
import { SimByteStream } from "./sim-byte-stream.ts";
import { type Bites, bite, OneWay, type Way } from "./sim-link.ts";

export interface SimTransportInit {
  readonly engine: Engine;
  readonly random: SimRandom;
  readonly way: Way;
  readonly bites: Bites;
  /** How often each branch of the protocol was reached. */
  readonly reached: Bites;
  readonly life: Life;
  /** Where a call of a service goes, by the word of the service; undefined: nowhere. */
  readonly edge: (word: string) => MeshProcess | undefined;
  /** The push server at an address. */
  readonly pushAt: (address: string) => MeshProcess | undefined;
  /** The client has ended a stream, on which at most so many events stood that it had not acknowledged. */
  readonly streamEnded: (unacknowledged: number) => void;
}

/** A device's way to the server, over simulated connections. */
export class SimTransport implements Transport {
  readonly #init: SimTransportInit;
  readonly streams = new Set<SimStream>();

  constructor(init: SimTransportInit) {
    this.#init = init;
  }

  call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    { token, timeoutMs, signal }: CallOptions,
  ): Promise<MessageShape<O>> {
    const { engine, life } = this.#init;
    return new Promise((resolve, refuse) => {
      bite(this.#init.reached, `asked ${method.name}`);
      let isOver = false;
      const reject = (error: unknown) => {
        if (!isOver) bite(this.#init.reached, `asked ${method.name}: ${reasonOf(error)}`);
        isOver = true;
        refuse(error);
      };
      const late = () =>
        reject(new HeddleError(Code.DEADLINE_EXCEEDED, ErrorReason.UNSPECIFIED, "no answer"));
      engine.after(timeoutMs, life, late);
      signal?.addEventListener("abort", () => reject(unreachable("aborted")), { once: true });
      const word = method.parent.typeName.split(".")[1] ?? "";
      const server = this.#reach(({ edge }) => edge(word));
      if (!server) {
        engine.after(20, life, () => reject(unreachable("no connection")));
        return;
      }
      const [up, down] = [this.#oneWay(), this.#oneWay()];
      const bytes = toBinary(method.input, create(method.input, request));
      up.carry(server.life, () => {
        const bound = server.methods.get(`${method.parent.typeName}/${method.name}`);
        if (!bound) throw new Error(`no method ${method.name}`);
        const { answer } = runUnary(server.context, bound, {
          transport: "grpc",
          requestId: "sim",
          source: "",
          askedMs: timeoutMs,
          caller: async () => callerOf(token, server.clock.nowMs()),
          request: () => fromBinary(method.input, bytes),
        });
        answer.then(
          (message) => {
            const said = toBinary(method.output, message as MessageShape<O>);
            down.carry(life, () => {
              isOver = true;
              resolve(fromBinary(method.output, said));
            });
          },
          (error) => down.carry(life, () => reject(error)),
        );
      });
    });
  }

  open(options: StreamOptions): Stream {
    const push = this.#reach(({ pushAt }) => pushAt(options.permit.grpcUrl));
    const stream = new SimStream(this.#init, this.#oneWay(), this.#oneWay(), push, options);
    this.streams.add(stream);
    return stream;
  }

  close(): void {
    this.cut();
  }

  /** Connections break, all or those to one process; both ends notice, each a little later. */
  cut(to?: MeshProcess): void {
    for (const stream of [...this.streams]) {
      if (to && stream.server !== to) continue;
      stream.breakNow();
      this.streams.delete(stream);
    }
  }

  /** Nothing arrives any more from a process, and nobody is told. */
  silence(from: MeshProcess): void {
    for (const stream of this.streams) if (stream.server === from) stream.silence();
  }

  #reach(choose: (init: SimTransportInit) => MeshProcess | undefined): MeshProcess | undefined {
    const { way, engine, bites } = this.#init;
    if (way.awayUntilMs <= engine.nowMs) return choose(this.#init);
    bite(bites, "no connection");
    return undefined;
  }

  #oneWay(): OneWay {
    const { engine, random, way, bites } = this.#init;
    return new OneWay(engine, random, way, bites);
  }
}

type Item = { readonly frame: ServerFrame } | { readonly error: HeddleError | undefined };

/** One Connect stream, the client's end. */
class SimStream implements Stream {
  readonly #init: SimTransportInit;
  readonly #up: OneWay;
  readonly #down: OneWay;
  /** Undefined where there is no connection. */
  readonly server: MeshProcess | undefined;
  readonly #far: SimByteStream | undefined;
  readonly #items: Item[] = [];
  #wake = () => {};
  #isClosed = false;
  #heard = 0;
  #acknowledged = 0;
  #mostUnacknowledged = 0;

  constructor(
    init: SimTransportInit,
    up: OneWay,
    down: OneWay,
    server: MeshProcess | undefined,
    options: StreamOptions,
  ) {
    this.#init = init;
    this.#up = up;
    this.#down = down;
    this.server = server;
    if (!server) {
      init.engine.after(20, init.life, () => this.#put({ error: unreachable("no connection") }));
      return;
    }
    const caller = callerOf(options.permit.ticket, server.clock.nowMs());
    const far = new SimByteStream(
      { caller, requestId: "sim", signal: new AbortController().signal },
      (bytes) => down.carry(init.life, () => this.#hear(bytes)),
      (error) =>
        down.carry(init.life, () => this.#put({ error: error ?? unreachable("the stream has ended") })),
    );
    this.#far = far;
    up.carry(server.life, () => server.push?.connect(far));
    const { deviceId, cursor } = options;
    this.#say(create(ClientFrameSchema, { kind: { case: "open", value: { deviceId, cursor } } }));
    options.signal.addEventListener("abort", () => this.close(), { once: true });
  }

  say(frame: ClientFrame): Promise<undefined> {
    if (this.#isClosed) return Promise.reject(unreachable("the stream is closed"));
    this.#say(frame);
    return Promise.resolve(undefined);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#init.streamEnded(this.#mostUnacknowledged);
    if (this.server) this.#up.carry(this.server.life, () => this.#far?.drop());
    this.#wake();
  }

  silence(): void {
    this.#up.isBroken = true;
    this.#down.isBroken = true;
  }

  /** What is on its way is lost. */
  breakNow(): void {
    if (this.#isClosed) return;
    bite(this.#init.bites, "cut");
    this.#up.isBroken = true;
    this.#down.isBroken = true;
    const { engine, life, random } = this.#init;
    engine.after(random.between(1, 400), life, () =>
      this.#put({ error: unreachable("the connection broke") }),
    );
    engine.after(random.between(1, 400), this.server?.life, () => this.#far?.drop());
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ServerFrame> {
    while (!this.#isClosed) {
      const item = this.#items.shift();
      if (!item) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if ("frame" in item) yield item.frame;
      else throw item.error ?? unreachable("the stream has ended");
    }
  }

  #say(frame: ClientFrame): void {
    if (frame.kind.case === "send" && frame.kind.value.attempt > 1) bite(this.#init.reached, "send again");
    if (frame.kind.case === "ack") this.#acknowledged = Number(frame.kind.value.upTo);
    const bytes = toBinary(ClientFrameSchema, frame);
    if (this.server) this.#up.carry(this.server.life, () => this.#far?.receive(bytes));
  }

  #hear(bytes: Uint8Array): void {
    const frame = fromBinary(ServerFrameSchema, bytes);
    for (const event of frame.events) countEvent(event, this.#init.reached);
    const { engine, way } = this.#init;
    this.#far?.taken(bytes.length, (run) => void engine.after(way.delayMs, this.server?.life, run));
    this.#heard += frame.events.length;
    this.#mostUnacknowledged = Math.max(this.#mostUnacknowledged, this.#heard - this.#acknowledged);
    this.#put({ frame });
  }

  #put(item: Item): void {
    this.#items.push(item);
    this.#wake();
  }
}

function countEvent({ kind }: Event, reached: Bites): void {
  if (kind.case === "presence") bite(reached, `told presence ${PresenceStatus[kind.value.status]}`);
  else if (kind.case === "draining") bite(reached, `told draining ${DrainingReason[kind.value.reason]}`);
  else bite(reached, `told ${kind.case}`);
  if (kind.case === "accepted" && kind.value.duplicate) bite(reached, "told accepted: a repeat");
}
