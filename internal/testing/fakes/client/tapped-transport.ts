import { type DescMessage, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type {
  CallOptions,
  Stream,
  StreamOptions,
  Transport,
  UnaryMethod,
} from "../../../../client/transport/transport.ts";
import { hex } from "../../../base/ids.ts";
import { directThreadId } from "../../../base/thread-id.ts";
import { type Entry, EntrySchema } from "../../../gen/heddle/message/v1/entry_pb.js";
import {
  type ListEntriesResponse,
  MessageService,
  type ResolveSendRequest,
  type ResolveSendResponse,
} from "../../../gen/heddle/message/v1/message_service_pb.js";
import type { ClientFrame, Event, ServerFrame } from "../../../gen/heddle/push/v1/frame_pb.js";
import type { SubmitResponse_Outcome } from "../../../gen/heddle/push/v1/push_service_pb.js";
import type { SendLedger } from "../../trials/load/send-ledger.ts";

/** Everybody's sightings of entries: all who see one, live or in history, must see the same bytes. */
export class Sightings {
  /** Entries that two have seen with different bytes, in words. Empty: all is well. */
  readonly breaches: string[] = [];
  /** The bytes as first seen, in hex, by `<thread>/<seq>`. */
  readonly #bytes = new Map<string, string>();

  /** Notes an entry that somebody was given. */
  see(entry: Entry): void {
    const key = `${hex(entry.threadId)}/${entry.seq}`;
    const bytes = hex(toBinary(EntrySchema, entry));
    const known = this.#bytes.get(key);
    if (known === undefined) this.#bytes.set(key, bytes);
    else if (known !== bytes) this.breaches.push(`${key} was seen as ${known} and as ${bytes}`);
  }
}

/** Whose transport is listened in on, and who is told. */
export interface Taps {
  readonly userId: string;
  /** Names the device among all of the test. */
  readonly device: string;
  /** Learns what became of sends, by every way in which a client is told. */
  readonly ledger: SendLedger;
  /** One for all devices of a test. */
  readonly sightings: Sightings;
}

/** A client's transport, listened in on; its streams can be cut, as a network does it: without a word. */
export class TappedTransport implements Transport {
  readonly #inner: Transport;
  readonly #taps: Taps;
  readonly #streams = new Set<TappedStream>();

  constructor(inner: Transport, taps: Taps) {
    this.#inner = inner;
    this.#taps = taps;
  }

  async call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<MessageShape<O>> {
    const answer = await this.#inner.call(method, request, options);
    const { resolveSend, listEntries } = MessageService.method;
    if (method.name === resolveSend.name) {
      this.#resolved(request as unknown as ResolveSendRequest, answer as unknown as ResolveSendResponse);
    }
    if (method.name === listEntries.name) {
      for (const entry of (answer as unknown as ListEntriesResponse).entries) this.#taps.sightings.see(entry);
    }
    return answer;
  }

  open(options: StreamOptions): Stream {
    const stream = new TappedStream(this.#inner.open(options), this.#taps, () =>
      this.#streams.delete(stream),
    );
    this.#streams.add(stream);
    return stream;
  }

  /** Ends every stream: nothing that is on its way arrives. */
  cut(): void {
    for (const stream of this.#streams) stream.cut();
  }

  close(): void {
    this.#inner.close();
  }

  /** An answer of ResolveSend tells as much as `accepted` does. */
  #resolved({ clientId, target }: ResolveSendRequest, { outcome }: ResolveSendResponse): void {
    const { ledger, userId, device } = this.#taps;
    if (outcome.case === "never") ledger.never(hex(clientId));
    if (outcome.case !== "committed") return;
    const threadId = target.case === "threadId" ? target.value : directThreadId(userId, target.value ?? "");
    const { seq, createdAtMs } = outcome.value;
    ledger.placed(hex(clientId), device, place(threadId, seq, createdAtMs));
  }
}

class TappedStream implements Stream {
  readonly #inner: Stream;
  readonly #taps: Taps;
  readonly #onEnd: () => void;
  readonly #cut: Promise<undefined>;
  /** Ends it under the client, which hears nothing more; what is under way has no answer. */
  cut: () => void = () => {};
  #isOver = false;

  constructor(inner: Stream, taps: Taps, onEnd: () => void) {
    this.#inner = inner;
    this.#taps = taps;
    this.#onEnd = onEnd;
    this.#cut = new Promise((resolve) => {
      this.cut = () => {
        this.#end();
        resolve(undefined);
        inner.close();
      };
    });
  }

  async say(frame: ClientFrame): Promise<SubmitResponse_Outcome | undefined> {
    const clientId = frame.kind.case === "send" ? hex(frame.kind.value.clientId) : "";
    if (clientId) this.#taps.ledger.tried(clientId, this.#taps.device, this);
    // Said on a stream that was cut meanwhile: it may have gone out all the same.
    if (this.#isOver) this.#taps.ledger.lost(this);
    try {
      return await this.#inner.say(frame);
    } catch (thrown) {
      if (clientId) this.#taps.ledger.refused(clientId, this);
      throw thrown;
    }
  }

  close(): void {
    this.#inner.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ServerFrame> {
    const frames = this.#inner[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = frames.next();
        next.catch(() => {}); // After a cut nobody asks how it ended.
        const got = await Promise.race([next, this.#cut]);
        if (!got || got.done || this.#isOver) return;
        for (const event of got.value.events) this.#note(event);
        yield got.value;
      }
    } finally {
      this.#end();
    }
  }

  #note({ kind }: Event): void {
    const { ledger, sightings, userId, device } = this.#taps;
    if (kind.case === "accepted") {
      const { threadId, seq, createdAtMs, duplicate } = kind.value;
      ledger.placed(hex(kind.value.clientId), device, place(threadId, seq, createdAtMs), duplicate);
    } else if (kind.case === "entry") {
      const { sender, clientId, threadId, seq, createdAtMs } = kind.value;
      sightings.see(kind.value);
      if (sender === userId) ledger.placed(hex(clientId), device, place(threadId, seq, createdAtMs));
    } else if (kind.case === "refused") ledger.refused(hex(kind.value.clientId), this);
  }

  /** From now on the outcome of every try on this stream is unknown. Once. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#taps.ledger.lost(this);
    this.#onEnd();
  }
}

/** As the ledger keeps it. */
export function place(threadId: Uint8Array, seq: bigint, createdAtMs: bigint) {
  return { threadId: hex(threadId), seq: Number(seq), createdAtMs: Number(createdAtMs) };
}
