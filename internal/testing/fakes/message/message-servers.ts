import { randomBytes } from "node:crypto";
import { create, fromBinary } from "@bufbuild/protobuf";
import type { GroupChange } from "../../../base/group.ts";
import type { HeddleError } from "../../../base/heddle-error.ts";
import type { Publication } from "../../../base/publication.ts";
import type { Member, Ring, RingView } from "../../../base/ring.ts";
import type { Accepted } from "../../../base/send.ts";
import { directThreadId, groupThreadId } from "../../../base/thread-id.ts";
import {
  GetHeadsRequestSchema,
  GetHeadsResponseSchema,
  ListEntriesRequestSchema,
  ListEntriesResponseSchema,
  ListReceiptsRequestSchema,
  ListReceiptsResponseSchema,
  ResolveSendRequestSchema,
  type GetHeadsResponse_ThreadHead as ThreadHead,
} from "../../../gen/heddle/message/v1/message_service_pb.js";
import { ServerFrameSchema } from "../../../gen/heddle/push/v1/frame_pb.js";
import { MessageService } from "../../../message/service.ts";
import { SqliteThreadStore } from "../../../store/sqlite/sqlite-thread-store.ts";
import { Directory } from "../../../thread/directory.ts";
import { quiet } from "../../worlds/interleaving.ts";
import { FakeClock } from "../time/fake-clock.ts";
import { HookedStore, KeptChannel } from "./message-ports.ts";
import { type SendSample, sendOf } from "./message-samples.ts";

/** A ring that a test sets. */
export class SetRing implements Ring {
  #view: RingView = { state: "not_loaded", members: [], number: 0, hidden: 0 };
  readonly #callbacks = new Set<() => void>();

  view(): RingView {
    return this.#view;
  }

  onChange(callback: () => void): () => void {
    this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  async listAgain(): Promise<boolean> {
    return true;
  }

  /** Members of these names serve; the same name is the same registration. */
  set(names: readonly string[], state: RingView["state"] = "known"): void {
    const members = names.map((name) => ({ name, address: "", incarnation: name.charCodeAt(0) }));
    this.#view = { state, members, number: 1_000, hidden: 0 };
    for (const callback of [...this.#callbacks]) callback();
  }
}

/** Several message services with memories of their own, over one store of each kind and one channel service. */
export class MessageServers {
  readonly clock = new FakeClock();
  readonly store = new HookedStore();
  readonly rows = new SqliteThreadStore({ path: ":memory:", clock: this.clock, tick: (run) => run() });
  readonly channel = new KeptChannel();
  /** The servers "a" and "b". */
  readonly ring = new SetRing();
  /** By server, what its looks at who may come in wait for. */
  readonly #held = new Map<string, Promise<void>>();
  /** By name. Ones that left the ring stay, as a process does that does not know yet. */
  readonly #servers = new Map<string, MessageService>();

  constructor() {
    this.ring.set(["a", "b"]);
    this.channel.subscribed.add("user/bob");
  }

  /** The server of that name, which is begun when it is first asked for. */
  server(name: string): MessageService {
    const known = this.#servers.get(name);
    if (known) return known;
    const { store, channel, clock, ring } = this;
    const rows = new Directory(this.rows);
    const view = rows.view.bind(rows);
    rows.view = async (...asked) => {
      await this.#held.get(name);
      return view(...asked);
    };
    const threads = { threads: rows, groups: rows, blocks: rows, largeGroups: rows };
    const server = new MessageService({ store, ...threads, channel, clock, servers: { name, ring } });
    this.#servers.set(name, server);
    return server;
  }

  /** Where a member of the ring is asked. */
  readonly at = ({ name }: Member): MessageService => this.server(name);

  /** Sends through a server, under a client_id of its own. Resolves to what became of it; never rejects. */
  send(name: string, sample: SendSample = {}): Promise<Accepted | HeddleError> {
    const send = sendOf({ clientId: new Uint8Array(randomBytes(16)), ...sample });
    return new Promise((resolve) => this.server(name).send(send, resolve));
  }

  /** Ann and bob have a direct thread of `count` messages of ann's, sent through "a". */
  async direct(count = 1): Promise<Uint8Array> {
    for (let seq = 1; seq <= count; seq++) await this.send("a", { baseSeq: seq - 1 });
    return directThreadId("ann", "bob");
  }

  /** A group of ann's, with bob and cid, made through "a". */
  async group(): Promise<Uint8Array> {
    const requestId = new Uint8Array(randomBytes(16));
    const change: GroupChange = { kind: "create", name: "weft", userIds: ["bob", "cid"] };
    const threadId = groupThreadId("ann", requestId);
    await this.server("a").change({ threadId, userId: "ann", requestId, change });
    return threadId;
  }

  /** Changes a group through a server, under a request_id of its own. */
  change(name: string, threadId: Uint8Array, userId: string, change: GroupChange) {
    const requestId = new Uint8Array(randomBytes(16));
    return this.server(name).change({ threadId, userId, requestId, change });
  }

  /** Ann blocks bob through a server, or lifts it: stored, raised, answered. */
  async block(name: string, isBlocked = true): Promise<void> {
    const threadId = directThreadId("ann", "bob");
    await this.rows.setBlocked(threadId, { ownerId: "ann", otherUserId: "bob" }, isBlocked);
    await this.server(name).raiseEpoch(threadId);
  }

  /** A user has received and read so far, told to a server. */
  async raise(name: string, threadId: Uint8Array, userId: string, deliveredSeq: number, readSeq: number) {
    await this.server(name).raiseReceipt({ userId, threadId, deliveredSeq, readSeq, originSession: "" });
  }

  /** Who has positions by ListReceipts of a user's, through a server. */
  async listedUsers(name: string, userId: string, threadId: Uint8Array): Promise<string[]> {
    const request = create(ListReceiptsRequestSchema, { threadId });
    const listed = await this.server(name).handlers.listReceipts(request, { caller: { userId } });
    return create(ListReceiptsResponseSchema, listed).receipts.map((receipt) => receipt.userId);
  }

  /** What GetHeads tells a user of a thread, through a server. */
  async head(name: string, userId: string, threadId: Uint8Array): Promise<ThreadHead | undefined> {
    const request = create(GetHeadsRequestSchema, { threadIds: [threadId] });
    const said = await this.server(name).handlers.getHeads(request, { caller: { userId } });
    return create(GetHeadsResponseSchema, said).heads[0];
  }

  /** The head of a page that ListEntries gives a user, through a server. */
  async pageHead(name: string, userId: string, threadId: Uint8Array): Promise<bigint | undefined> {
    const request = create(ListEntriesRequestSchema, { threadId });
    const page = await this.server(name).handlers.listEntries(request, { caller: { userId } });
    return create(ListEntriesResponseSchema, page).head?.seq;
  }

  /** Asks a server to seal a send: what it says became of it. */
  async seal(name: string, userId: string, threadId: Uint8Array, clientId: Uint8Array) {
    const target = { case: "threadId", value: threadId } as const;
    const request = create(ResolveSendRequestSchema, { target, clientId, seal: true });
    return (await this.server(name).handlers.resolveSend(request, { caller: { userId } })).outcome?.case;
  }

  /** Holds a server's looks at who may come in, until they are released: it sees rows as they are then. */
  holdViews(name: string): { release: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.set(name, promise);
    return { release: resolve };
  }

  /** Lets time pass, in steps in which what falls due comes to its end. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      this.clock.advance(Math.min(50, left));
      await quiet();
    }
  }

  /** What was handed to the channel service since the last time. */
  takePublications(kind?: Publication["kind"]): Publication[] {
    return this.channel.publications.splice(0).filter((one) => !kind || one.kind === kind);
  }

  /** The same of receipts: "bob 5 3 → user/ann user/bob", delivered and read. */
  takeReceipts(): string[] {
    return this.takePublications("receipt").map(({ frame, topics }) => {
      const kind = fromBinary(ServerFrameSchema, frame).events[0]?.kind;
      if (kind?.case !== "receipt") throw new Error("no receipt");
      const { userId, deliveredSeq, readSeq } = kind.value;
      return `${userId} ${deliveredSeq} ${readSeq} → ${topics.join(" ")}`;
    });
  }
}
