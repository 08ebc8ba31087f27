import { type ChattingDevice, seenOf, shownText } from "./device-notes.ts";

const NO_THREAD = { head: { seq: 0 }, readSeq: 0, unread: 0, hasLeft: false };

/** In a calm: what each connected device knows without having asked, and who is there on its screen. */
export function noteCalm(devices: readonly ChattingDevice[]): void {
  const there = new Set(devices.filter(isLive).map(({ user }) => user));
  for (const { client, notes } of devices.filter(isLive)) {
    const threads = client?.threads() ?? [];
    const held = threads.filter(({ hasLeft }) => !hasLeft);
    const heads = Object.fromEntries(held.map(({ threadId, head }) => [threadId, head.seq]));
    notes.tell({ type: "calm", heads });
    for (const { peer, isBlocked } of threads) {
      const status = peer === undefined || isBlocked ? undefined : client?.presence(peer)?.status;
      if (peer !== undefined && status)
        notes.tell({ type: "watching", of: peer, status, isThere: there.has(peer) });
    }
  }
}

/** At the very end, after a sync: all that a device holds, and what is still in its outbox. */
export async function noteEnd({ client, notes }: ChattingDevice): Promise<void> {
  if (!client || client.state.phase === "signed-out") return;
  const texts = client
    .outbox()
    .filter(({ state }) => state !== "failed")
    .map(({ text }) => shownText(text));
  notes.tell({ type: "outbox", texts });
  for (const { threadId, peer } of client.threads()) {
    const conversation = client.conversation(threadId);
    await conversation.open();
    while (conversation.hasOlder) if ((await conversation.older(200)).length === 0) break;
    const { head, readSeq, unread, hasLeft } = conversation.thread ?? NO_THREAD;
    const held = { headSeq: head.seq, hasLeft, readSeq, unread, entries: conversation.entries.map(seenOf) };
    notes.tell({ type: "end", thread: threadId, isGroup: peer === undefined, ...held });
  }
}

function isLive({ client }: ChattingDevice): boolean {
  return client?.state.phase === "live";
}
