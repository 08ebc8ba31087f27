import { randomBytes } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AddMembersRequestSchema,
  CreateGroupRequestSchema,
  CreateGroupResponseSchema,
} from "../../../../internal/gen/heddle/thread/v1/thread_service_pb.js";
import type { ChatClient } from "../clients/chat-client.ts";
import { Crowd, type CrowdOptions } from "../clients/crowd.ts";
import { FanOut, type FanOutCounts } from "../counts/fan-out.ts";
import { type Pace, pace } from "../pace/pacer.ts";
import { sendFrame, sendTail } from "../wire/client-frames.ts";
import { GrpcConnection } from "../wire/grpc-connection.ts";
import type { EncodedLatencies } from "./chat-load.ts";

const THREADS = "/heddle.thread.v1.ThreadService";
const CALL_MS = 30_000;

/** Users that one call adds, of docs/design.md, section 12; a group begins with one less, and its owner. */
const MEMBERS_A_CALL = 256;

/** How long what is under way may take to settle when the posting has stopped. */
const SETTLE_MS = 20_000;

/** Posts to a group whose members are the first `members` of those connected. */
export interface PostOptions extends Pace {
  readonly threadId: Uint8Array;
  readonly members: number;
  /** Of those, so many post, in turn. */
  readonly posters: number;
  readonly textBytes: number;
}

/** Members of groups, many streams on a TCP connection, and a few of them post by a schedule. */
export class GroupLoad {
  #fanOut = new FanOut(0);
  #posting: AbortController | undefined;
  readonly #crowd = new Crowd({
    onEntry: ({ userId }, clientId, seq) =>
      this.#fanOut.noteArrived(userId, clientId, seq, performance.now()),
    onAccepted: (_, clientId) => this.#fanOut.noteAccepted(clientId, performance.now()),
  });

  /** Makes a group of the owner, who is signed in, and the others. Resolves to its thread_id. */
  async make(grpcUrl: string, token: string, others: readonly string[]): Promise<Uint8Array> {
    const connection = new GrpcConnection(grpcUrl);
    try {
      const call = (method: string, request: Uint8Array) =>
        connection.unary(`${THREADS}/${method}`, token, request, CALL_MS);
      const userIds = others.slice(0, MEMBERS_A_CALL - 1);
      const group = create(CreateGroupRequestSchema, { name: "bench", userIds, requestId: randomBytes(16) });
      const answer = await call("CreateGroup", toBinary(CreateGroupRequestSchema, group));
      const threadId = fromBinary(CreateGroupResponseSchema, answer).thread?.threadId ?? new Uint8Array(0);
      for (let at = userIds.length; at < others.length; at += MEMBERS_A_CALL) {
        const more = { threadId, userIds: others.slice(at, at + MEMBERS_A_CALL), requestId: randomBytes(16) };
        await call("AddMembers", toBinary(AddMembersRequestSchema, create(AddMembersRequestSchema, more)));
      }
      return threadId;
    } finally {
      connection.close();
    }
  }

  /** Connects more users. */
  async connect(options: CrowdOptions): Promise<void> {
    await this.#crowd.connect(options);
  }

  /** Posts by a schedule until its end or `stop`. */
  startRate({ threadId, members, posters, textBytes, ...schedule }: PostOptions): void {
    const { clients } = this.#crowd;
    if (clients.length !== members) throw new Error(`${clients.length} users are there, not ${members}`);
    const tail = sendTail("x".repeat(textBytes));
    // Spread over the members, so that posters sit on different connections.
    const posting = Array.from({ length: posters }, (_, at) => clients[Math.floor((at * members) / posters)]);
    for (const client of posting) if (client) client.heldSeq = 0; // What they hold is of another group.
    this.#fanOut = new FanOut(members);
    this.#posting = new AbortController();
    const post = (index: number, dueMs: number) => {
      const client = posting[index % posting.length] as ChatClient;
      client.say(sendFrame(threadId, this.#fanOut.next(dueMs), client.heldSeq, tail));
    };
    void pace(schedule, post, this.#posting.signal);
  }

  /** Entries that have come to members so far. Throws if anything went wrong. */
  done(): number {
    this.#crowd.demandNoTrouble();
    if (this.#fanOut.problem !== undefined) throw new Error(this.#fanOut.problem);
    return this.#fanOut.counts.arrived;
  }

  resetLatencies(): void {
    this.#fanOut.resetLatencies();
  }

  latencies(): EncodedLatencies {
    return this.#fanOut.latencies();
  }

  /** Stops posting; resolves when everything has come to everybody. Rejects if that fails. */
  async stop(): Promise<FanOutCounts> {
    this.#posting?.abort();
    await this.#crowd.until(
      () => this.#fanOut.isSettled,
      SETTLE_MS,
      () => `not all came: ${JSON.stringify(this.#fanOut.counts)}`,
    );
    this.done();
    return this.#fanOut.counts;
  }
}
