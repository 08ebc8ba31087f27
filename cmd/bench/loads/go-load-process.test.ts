import assert from "node:assert/strict";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from "@grpc/grpc-js";
import {
  GatewayService,
  OpenSessionResponseSchema,
} from "../../../internal/gen/heddle/gateway/v1/gateway_service_pb.js";
import type { SendRequest } from "../../../internal/gen/heddle/message/v1/message_service_pb.js";
import {
  ClientFrameSchema,
  EventSchema,
  ServerFrameSchema,
} from "../../../internal/gen/heddle/push/v1/frame_pb.js";
import { PushService } from "../../../internal/gen/heddle/push/v1/push_service_pb.js";
import { goLoadBinary } from "./go-load-binary.ts";
import { GoLoadProcess } from "./go-load-process.ts";

type Kind = NonNullable<MessageInitShape<typeof EventSchema>["kind"]>;

/** What a server says of the tenth message: to its sender, and to the recipient. */
interface Broken {
  readonly accepted?: (kind: Kind) => readonly Kind[];
  readonly entry?: (kind: Kind) => readonly Kind[];
}

/** The message that a broken server is broken at, and one by which the load has heard of it. */
const BROKEN_SEQ = 10;
const ENOUGH = 40;

const THREAD = new Uint8Array(16).fill(7);

/** A server of one thread of two users, who sign in by their names; broken or not. */
class SmallServer {
  readonly #server = new Server();
  readonly #broken: Broken;
  readonly #streams = new Map<string, ServerDuplexStream<Buffer, Buffer>>();
  readonly #enough = Promise.withResolvers<void>();
  #seq = 0;

  constructor(broken: Broken) {
    this.#broken = broken;
    const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };
    const codecs = {
      requestSerialize: bytes.serialize,
      requestDeserialize: bytes.deserialize,
      responseSerialize: bytes.serialize,
      responseDeserialize: bytes.deserialize,
    };
    const openSession: handleUnaryCall<Buffer, Buffer> = ({ metadata }, answer) => {
      const response = create(OpenSessionResponseSchema, { ticket: bearer(metadata) });
      answer(null, Buffer.from(toBinary(OpenSessionResponseSchema, response)));
    };
    const connect: handleBidiStreamingCall<Buffer, Buffer> = (stream) => this.#connect(stream);
    const unary = { requestStream: false, responseStream: false, ...codecs };
    const both = { requestStream: true, responseStream: true, ...codecs };
    this.#server.addService(
      { OpenSession: { path: `/${GatewayService.typeName}/OpenSession`, ...unary } },
      { OpenSession: openSession },
    );
    this.#server.addService(
      { Connect: { path: `/${PushService.typeName}/Connect`, ...both } },
      { Connect: connect },
    );
  }

  /** Its URL. */
  async start(): Promise<string> {
    const credentials = ServerCredentials.createInsecure();
    return await new Promise((resolve, reject) => {
      this.#server.bindAsync("127.0.0.1:0", credentials, (error, port) =>
        error ? reject(error) : resolve(`http://127.0.0.1:${port}`),
      );
    });
  }

  /** Resolves when so many messages have come that the load has heard of the broken one. */
  get enough(): Promise<void> {
    return this.#enough.promise;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #connect(stream: ServerDuplexStream<Buffer, Buffer>): void {
    const userId = bearer(stream.metadata);
    stream.on("error", () => {}); // The load is killed at the end.
    stream.on("data", (frame: Buffer) => {
      const { kind } = fromBinary(ClientFrameSchema, frame);
      if (kind.case === "open") {
        this.#streams.set(userId, stream);
        this.#say(userId, [
          { case: "opened", value: { userId } },
          { case: "caughtUp", value: {} },
        ]);
      } else if (kind.case === "send") this.#send(userId, kind.value);
    });
  }

  #send(sender: string, { clientId, body }: SendRequest): void {
    const seq = ++this.#seq;
    const accepted: Kind = { case: "accepted", value: { clientId, threadId: THREAD, seq: BigInt(seq) } };
    const value = { threadId: THREAD, seq: BigInt(seq), sender, clientId, ...(body && { body }) };
    const entry: Kind = { case: "entry", value };
    const broken = seq === BROKEN_SEQ ? this.#broken : {};
    for (const userId of this.#streams.keys()) {
      if (userId === sender) this.#say(userId, broken.accepted?.(accepted) ?? [accepted]);
      else this.#say(userId, broken.entry?.(entry) ?? [entry]);
    }
    if (seq === ENOUGH) this.#enough.resolve();
  }

  #say(userId: string, kinds: readonly Kind[]): void {
    const events = kinds.map((kind) => create(EventSchema, { kind }));
    const frame = toBinary(ServerFrameSchema, create(ServerFrameSchema, { events }));
    this.#streams.get(userId)?.write(Buffer.from(frame));
  }
}

function bearer(metadata: Metadata): string {
  return String(metadata.get("authorization")[0]).replace("Bearer ", "");
}

/** Runs the load against such a server. Resolves to what the load said at its end. */
async function told(broken: Broken): Promise<string> {
  const server = new SmallServer(broken);
  const load = new GoLoadProcess(await goLoadBinary(() => {}));
  try {
    const users = ["ann", "bob"].map((userId) => ({ userId, token: userId }));
    await load.connect({ grpcUrl: await server.start(), users, atOnce: 2 });
    await load.pair(10);
    await load.startWindow(2);
    await server.enough;
    const { sent, accepted, arrived } = await load.stop();
    assert.ok(sent >= ENOUGH && accepted === sent && arrived === sent, `${sent} ${accepted} ${arrived}`);
    return "well";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await load.kill();
    server.stop();
  }
}

describe("The load in Go", function () {
  this.timeout("240s"); // It is built the first time.

  it("is content with a server that keeps its promises", async () => {
    assert.equal(await told({}), "well");
  });

  it("fails when an entry comes twice, is lost, or is told as another's", async () => {
    assert.match(await told({ entry: (kind) => [kind, kind] }), /the entry of seq 10 came after that of 10/);
    assert.match(await told({ entry: () => [] }), /message \d+ of sender \d came where \d+ was due/);
    const stranger = (kind: Kind): Kind => ({ ...kind, value: { ...kind.value, sender: "eve" } }) as Kind;
    assert.match(await told({ entry: (kind) => [stranger(kind)] }), /an entry of eve names client \d/);
  });

  it("fails when an outcome comes twice or is a repeat's, or a seq has a hole below it", async () => {
    assert.match(await told({ accepted: (kind) => [kind, kind] }), /send \d+ was accepted where \d+ was due/);
    const changed = (more: object) => (kind: Kind) => [
      { ...kind, value: { ...kind.value, ...more } } as Kind,
    ];
    assert.match(await told({ accepted: changed({ duplicate: true }) }), /sent by another or twice/);
    assert.match(
      await told({ accepted: changed({ seq: 1_000n }) }),
      /the one before it at 1000|seq 10 never came/,
    );
  });

  it("fails when events were dropped or a send was refused", async () => {
    assert.match(await told({ entry: () => [{ case: "behind", value: {} }] }), /behind: events were dropped/);
    assert.match(
      await told({ accepted: () => [{ case: "refused", value: { message: "no" } }] }),
      /refused: no/,
    );
  });
});
