import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../programs/heddle-process.ts";
import { grpcurl } from "../../programs/tools.ts";
import { JsonChild, type Said } from "./json-child.ts";
import type { Member, Sighting } from "./member.ts";

const run = promisify(execFile);

/** An entry in protobuf's JSON. */
interface EntryJson {
  readonly seq: string;
  /** Base64. */
  readonly clientId: string;
  readonly sender: string;
  readonly createdAtMs: string;
  readonly body: { readonly text?: { readonly text: string } };
}
/** An event in protobuf's JSON: one arm. */
type EventJson = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

/** Where the schema comes from: asked of the server, or read from proto/. */
export type Schema = "reflection" | "files";

const FILES = ["gateway/v1/gateway_service", "message/v1/message_service", "push/v1/push_service"];
const fromFiles = [
  "-import-path",
  join(ROOT, "proto"),
  ...FILES.flatMap((file) => ["-proto", `heddle/${file}.proto`]),
];

/** grpcurl as a client: unary calls, and Connect with frames on its stdin. It has no memory: this object is it. */
export class GrpcurlMember implements Member {
  readonly userId: string;
  readonly #peer: string;
  readonly #address: string;
  readonly #token: string;
  /** What it has seen, by seq. */
  readonly #held = new Map<number, Sighting>();
  /** Its own texts by client_id: `accepted` does not repeat them. */
  readonly #sends = new Map<string, string>();
  /** Up to which seq each user has read. */
  readonly #read = new Map<string, number>();
  #stream: JsonChild | undefined;
  /** Frames of this stream that were looked at. */
  #taken = 0;
  /** Events of this stream that came, for the acks. */
  #events = 0;
  /** From where the next stream goes on, in base64. */
  #cursor = "";

  constructor(userId: string, peer: string, grpcUrl: string, token: string) {
    this.userId = userId;
    this.#peer = peer;
    this.#address = new URL(grpcUrl).host;
    this.#token = token;
  }

  /** One unary call, `MessageService/Send`, say. Rejects with what grpcurl prints. */
  async call(method: string, request: object, schema: Schema): Promise<Said> {
    const args = [...this.#args(schema, this.#token), "-d", JSON.stringify(request)];
    const { stdout } = await run(await grpcurl(), [...args, this.#address, qualified(method)]);
    return JSON.parse(stdout);
  }

  /** Opens a session, from the cursor of the one before. Resolves when it has caught up. */
  async connect(schema: Schema): Promise<void> {
    const deviceId = "grpcurl";
    const { ticket } = await this.call("GatewayService/OpenSession", { deviceId }, schema);
    const args = [...this.#args(schema, String(ticket)), "-d", "@"];
    this.#stream = new JsonChild(await grpcurl(), [...args, this.#address, qualified("PushService/Connect")]);
    this.#taken = 0;
    this.#events = 0;
    let isCaughtUp = false;
    this.#stream.tell({ open: { deviceId, cursor: this.#cursor } });
    await this.#until("caught_up", (event) => {
      isCaughtUp ||= event.caughtUp !== undefined;
      return isCaughtUp;
    });
  }

  /** Ends what it says on its stream, without which grpcurl does not end. Resolves to its exit code. */
  async disconnect(): Promise<number | null> {
    return (await this.#stream?.end()) ?? null;
  }

  async send(text: string): Promise<void> {
    const clientId = randomBytes(16).toString("base64");
    this.#sends.set(clientId, text);
    const send = {
      toUserId: this.#peer,
      clientId,
      baseSeq: this.#held.size,
      attempt: 1,
      body: { text: { text } },
    };
    this.#stream?.tell({ send });
  }

  sees(seq: number): Promise<void> {
    return this.#until(`entry ${seq}`, () => this.#held.size >= seq);
  }

  async view(): Promise<readonly Sighting[]> {
    return [...this.#held.values()].sort((a, b) => a.seq - b.seq);
  }

  /** What ListEntries shows: the whole thread. */
  async history(threadId: string, schema: Schema): Promise<readonly Sighting[]> {
    const request = { threadId, afterSeq: 0, pageSize: 200 };
    const { entries } = await this.call("MessageService/ListEntries", request, schema);
    return (entries as EntryJson[]).map(sighting);
  }

  async read(seq: number): Promise<void> {
    const threadId = await this.threadId();
    this.#stream?.tell({ receipt: { threadId, readSeq: seq } });
  }

  seesRead(userId: string, seq: number): Promise<void> {
    return this.#until(`receipt of ${userId} for ${seq}`, () => (this.#read.get(userId) ?? 0) >= seq);
  }

  /** The thread with the other user, in base64. */
  async threadId(): Promise<string> {
    const request = { userId: this.#peer, requestId: randomBytes(16).toString("base64") };
    const { thread } = await this.call("ThreadService/CreateDirectThread", request, "reflection");
    return String((thread as Said).threadId);
  }

  /** Ends its stream, however that stands. */
  async close(): Promise<void> {
    await this.#stream?.kill();
  }

  #args(schema: Schema, token: string): string[] {
    const files = schema === "files" ? fromFiles : [];
    return ["-plaintext", "-connect-timeout", "10", ...files, "-H", `authorization: Bearer ${token}`];
  }

  /** Takes events in, acknowledges them, and resolves at the first after which `isThere` holds. */
  async #until(what: string, isThere: (event: EventJson) => boolean): Promise<void> {
    const stream = this.#stream;
    if (!stream || isThere({})) return;
    await stream.until(what, () => {
      let found = false;
      while (this.#taken < stream.said.length) {
        const { events = [] } = stream.said[this.#taken++] as { events?: EventJson[] };
        for (const event of events) {
          this.#take(event);
          found ||= isThere(event);
        }
        this.#events += events.length;
        stream.tell({ ack: { upTo: this.#events } });
      }
      return found;
    });
  }

  #take({ entry, accepted, receipt, caughtUp }: EventJson): void {
    if (entry) this.#hold(sighting(entry as unknown as EntryJson));
    if (accepted) {
      const text = this.#sends.get(String(accepted.clientId)) ?? "";
      this.#hold(
        sighting({ ...(accepted as unknown as EntryJson), sender: this.userId, body: { text: { text } } }),
      );
    }
    if (receipt) this.#read.set(String(receipt.userId), Number(receipt.readSeq ?? 0));
    if (caughtUp) this.#cursor = String(caughtUp.cursor);
  }

  /** A retry or an inquiry may have an entry sent again: the same one. */
  #hold(one: Sighting): void {
    assert.deepEqual(this.#held.get(one.seq) ?? one, one);
    this.#held.set(one.seq, one);
  }
}

function sighting({ seq, clientId, sender, body, createdAtMs }: EntryJson): Sighting {
  const hex = Buffer.from(clientId, "base64").toString("hex");
  return {
    seq: Number(seq),
    clientId: hex,
    sender,
    text: body.text?.text ?? "",
    createdAtMs: Number(createdAtMs),
  };
}

/** `MessageService/Send` → `heddle.message.v1.MessageService/Send`. */
function qualified(method: string): string {
  const word = method.slice(0, method.indexOf("Service")).toLowerCase();
  return `heddle.${word}.v1.${method}`;
}
