import { createHash } from "node:crypto";
import type { Client } from "../../../../client/index.ts";
import type { ClientEvent, Entry } from "../../../../client/model/model.ts";
import type { Seen, SeenEntry } from "../judge/history.ts";

type Told<T> = T extends unknown ? Omit<T, "atMs" | "device" | "user"> : never;

/** A device that chats, as what persons do and what is noted of it need it: simulated, or real. */
export interface ChattingDevice {
  readonly name: string;
  readonly user: string;
  /** Undefined while its program does not run. */
  readonly client: Client | undefined;
  readonly notes: DeviceNotes;
}

export interface DeviceNotesInit {
  readonly name: string;
  readonly user: string;
  /** The clock of the history, the same for all devices, in ms. */
  readonly nowMs: () => number;
  readonly history: Seen[];
}

/** What a device saw and did, as lines of a history. One for all lives of its program. */
export class DeviceNotes {
  readonly #init: DeviceNotesInit;
  /** The other user of each direct thread that it has chatted in. */
  readonly #peers = new Map<string, string>();
  /** Who is on the screen, as it was noted. */
  #watched = "";

  constructor(init: DeviceNotesInit) {
    this.#init = init;
  }

  tell(seen: Told<Seen>): void {
    const { nowMs, history, name: device, user } = this.#init;
    history.push({ atMs: nowMs(), device, user, ...seen } as Seen);
  }

  /** Its program begins, with nothing on the screen. */
  begin(): void {
    this.#watched = "";
    this.tell({ type: "begin" });
  }

  /** It chats with somebody in this direct thread. */
  chatsWith(threadId: string, peer: string): void {
    this.#peers.set(threadId, peer);
  }

  /** These users are on the screen from now on, and nobody else. */
  watches(users: readonly string[]): void {
    const watched = users.join(" ");
    if (watched !== this.#watched) this.tell({ type: "watch", of: users });
    this.#watched = watched;
  }

  /** What its client says. */
  hear(event: ClientEvent): void {
    if (event.type === "entry") {
      this.tell({ type: "entry", thread: event.entry.threadId, entry: seenOf(event.entry) });
    } else if (event.type === "outbox") {
      const { state, threadId: thread, clientId, seq, text } = event.item;
      const { recipientOffline: isOffline } = event.item;
      const to = this.#peers.get(thread);
      const told = { ...(to !== undefined && { to }), ...(isOffline !== undefined && { isOffline }) };
      if (state === "sent" && seq !== undefined)
        this.tell({ type: "sent", thread, clientId, seq, text: shownText(text), ...told });
      if (state === "failed") this.tell({ type: "failed", clientId, text: shownText(text) });
    } else if (event.type === "state") {
      this.tell({ type: "phase", phase: event.state.phase });
    } else if (event.type === "presence") {
      this.tell({ type: "presence", of: event.userId, status: event.presence?.status ?? "unknown" });
    } else if (event.type === "receipt") {
      const { threadId: thread, userId: of, deliveredSeq: delivered, readSeq: read } = event.receipt;
      if (of !== this.#init.user) this.tell({ type: "receipt", thread, of, delivered, read });
    } else if (event.type === "typing" && event.isTyping) {
      this.tell({ type: "typing", thread: event.threadId, of: event.userId });
    }
  }
}

export function seenOf({ seq, sender, clientId, ordinal, body }: Entry): SeenEntry {
  return { seq, from: sender, clientId, ordinal, said: saidOf(body) };
}

function saidOf(body: Entry["body"]): string {
  if (body.kind === "text") return shownText(body.text);
  if (body.kind !== "member_change") return `[${body.kind}]`;
  const [came, went] = [
    body.added.map(({ userId }) => ` +${userId}`),
    body.removed.map((user) => ` -${user}`),
  ];
  return `[member_change${[...came, ...went].join("")}]`;
}

/** A text as a history has it: all of it, or its beginning with its length and hash. */
export function shownText(text: string): string {
  if (text.length <= 60) return text;
  return `${text.slice(0, 20)}… ${text.length} ${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}
