import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, type DescService, type MessageInitShape } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { type Heddle, startHeddle } from "../../../app/all-in-one.ts";
import { developmentConfig, type HeddleConfig } from "../../../app/settings/config.ts";
import {
  GatewayService,
  type OpenSessionResponse,
} from "../../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { MessageService } from "../../../gen/heddle/message/v1/message_service_pb.js";
import { PresenceService } from "../../../gen/heddle/presence/v1/presence_service_pb.js";
import { ProfileService } from "../../../gen/heddle/profile/v1/profile_service_pb.js";
import { ClientFrameSchema, ServerFrameSchema } from "../../../gen/heddle/push/v1/frame_pb.js";
import { PushService } from "../../../gen/heddle/push/v1/push_service_pb.js";
import { ThreadService } from "../../../gen/heddle/thread/v1/thread_service_pb.js";
import { devTokens } from "../../trials/programs/heddle-process.ts";
import { RawStream } from "../raw-stream.ts";
import type { Coverage } from "./coverage.ts";

/** The protocols of the two listeners. */
export type Protocol = "grpc" | "grpcWeb" | "connect";

/** The services as a client calls them, with one credential, over one protocol. */
export interface Api {
  readonly gateway: Client<typeof GatewayService>;
  readonly message: Client<typeof MessageService>;
  readonly thread: Client<typeof ThreadService>;
  readonly push: Client<typeof PushService>;
  readonly presence: Client<typeof PresenceService>;
  readonly profile: Client<typeof ProfileService>;
}

/** Every service of the contract. */
export const SERVICES: readonly DescService[] = [
  GatewayService,
  MessageService,
  PushService,
  ThreadService,
  PresenceService,
  ProfileService,
];

/** Heddle behind its real listeners, and clients whose messages, both ways, are noted. */
export class RecordedHeddle {
  readonly heddle: Heddle;
  readonly dataDir: string;
  readonly #coverage: Coverage;
  readonly #transports: Readonly<Record<Protocol, Transport>>;
  readonly #tokens = new Map<string, string>();
  readonly #streams: RecordedStream[] = [];

  private constructor(heddle: Heddle, dataDir: string, coverage: Coverage) {
    this.heddle = heddle;
    this.dataDir = dataDir;
    this.#coverage = coverage;
    const interceptors = [recorder(coverage)];
    const web = { baseUrl: heddle.webUrl, httpVersion: "1.1", interceptors, useBinaryFormat: true } as const;
    this.#transports = {
      grpc: createGrpcTransport({ baseUrl: heddle.grpcUrl, interceptors }),
      grpcWeb: createGrpcWebTransport(web),
      connect: createConnectTransport(web),
    };
  }

  /** In the development profile, but for what `changes` says. */
  static async start(coverage: Coverage, changes: Partial<HeddleConfig> = {}): Promise<RecordedHeddle> {
    const dataDir = await mkdtemp(join(tmpdir(), "heddle-contract-"));
    const profiles = { canBeSet: true, pictureHosts: ["p.example"] };
    const heddle = await startHeddle(developmentConfig(dataDir, { drainMs: 300, profiles, ...changes }));
    return new RecordedHeddle(heddle, dataDir, coverage);
  }

  /** Makes tokens of these users, for `as`. */
  async signIn(users: readonly string[]): Promise<void> {
    for (let at = 0; at < users.length; at += 1_000) {
      const tokens = await devTokens(this.heddle.webUrl, users.slice(at, at + 1_000));
      for (const [user, token] of Object.entries(tokens)) this.#tokens.set(user, token);
    }
  }

  /** The services as a user calls them. */
  as(userId: string, protocol: Protocol = "grpc"): Api {
    return this.with(this.tokenOf(userId), protocol);
  }

  /** The user token. */
  tokenOf(userId: string): string {
    return this.#tokens.get(userId) ?? "";
  }

  /** The services with a token or ticket. */
  with(credential: string, protocol: Protocol = "grpc"): Api {
    const transport = this.#transports[protocol];
    const authorized = bearing(transport, credential);
    return {
      gateway: createClient(GatewayService, authorized),
      message: createClient(MessageService, authorized),
      thread: createClient(ThreadService, authorized),
      push: createClient(PushService, authorized),
      presence: createClient(PresenceService, authorized),
      profile: createClient(ProfileService, authorized),
    };
  }

  /** A Connect stream that has not said anything. */
  stream({ ticket, grpcUrl }: Pick<OpenSessionResponse, "ticket" | "grpcUrl">): RecordedStream {
    const stream = new RecordedStream(grpcUrl, ticket, this.#coverage);
    this.#streams.push(stream);
    return stream;
  }

  /** A Connect stream that has caught up. */
  async session(userId: string, deviceId: string, cursor?: Uint8Array): Promise<RecordedStream> {
    const stream = this.stream(await this.as(userId).gateway.openSession({ deviceId }));
    stream.open(deviceId, cursor);
    await stream.next("caughtUp");
    return stream;
  }

  /** Drains and stops it. What came on streams is noted now. */
  async stop(): Promise<void> {
    await this.heddle.close();
    await Promise.all(this.#streams.map((stream) => stream.ended()));
    for (const { events } of this.#streams) {
      this.#coverage.note("response", ServerFrameSchema, create(ServerFrameSchema, { events }));
    }
  }

  /** Removes its data. */
  async remove(): Promise<void> {
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** A Connect stream whose frames, as the client says them, are noted. */
export class RecordedStream extends RawStream {
  readonly #coverage: Coverage;

  constructor(grpcUrl: string, ticket: string, coverage: Coverage) {
    super(grpcUrl, ticket);
    this.#coverage = coverage;
  }

  override say(kind: MessageInitShape<typeof ClientFrameSchema>["kind"]): void {
    const frame = create(ClientFrameSchema, { kind } as MessageInitShape<typeof ClientFrameSchema>);
    this.#coverage.note("request", ClientFrameSchema, frame);
    super.say(kind);
  }
}

/** Puts a token or ticket on each call, and 10 s on those without a deadline: no test waits for ever. */
function bearing(transport: Transport, credential: string): Transport {
  const authorization = `Bearer ${credential}`;
  const named = (header: HeadersInit | undefined) => {
    const headers = new Headers(header);
    headers.set("authorization", authorization);
    return headers;
  };
  return {
    unary: (method, signal, timeoutMs, header, input, values) =>
      transport.unary(method, signal, timeoutMs ?? 10_000, named(header), input, values),
    stream: (method, signal, timeoutMs, header, input, values) =>
      transport.stream(method, signal, timeoutMs, named(header), input, values),
  };
}

/** Notes every message of every call, both ways, also those of streams as they go. */
function recorder(coverage: Coverage): Interceptor {
  return (next) => async (request) => {
    const { input, output } = request.method;
    if (!request.stream) {
      coverage.note("request", input, request.message);
      const response = await next(request);
      if (!response.stream) coverage.note("response", output, response.message);
      return response;
    }
    const noted = (side: "request" | "response", messages: AsyncIterable<never>) => {
      const desc = side === "request" ? input : output;
      return (async function* () {
        for await (const message of messages) {
          coverage.note(side, desc, message);
          yield message;
        }
      })();
    };
    const response = await next({ ...request, message: noted("request", request.message as never) });
    if (!response.stream) return response;
    return { ...response, message: noted("response", response.message as never) };
  };
}
