import { join } from "node:path";
import { assembleMessage, soleRowViews } from "../../../internal/app/assembly/assemble.ts";
import { systemClock as clock } from "../../../internal/base/clock.ts";
import { NO_HISTORY } from "../../../internal/base/history.ts";
import { SoleChannel } from "../../../internal/channel/sole-channel.ts";
import type { Messages } from "../../../internal/push/ports.ts";
import { LevelMessageStore } from "../../../internal/store/level/level-message-store.ts";
import { SqliteThreadStore } from "../../../internal/store/sqlite/sqlite-thread-store.ts";

/**
 * What answers sends: `nothing` accepts at once, so that what is left is the way; `append` is the message service, so
 * that the way can be seen beside real work.
 */
export type Work = "nothing" | "append";

/** A port of the message service, and what ends it. */
export interface Worked {
  readonly messages: Messages;
  close(): Promise<void>;
}

/** `folder` holds what an append leaves. */
export function openWork(work: Work, folder: string): Promise<Worked> {
  return work === "nothing" ? Promise.resolve(doNothing()) : append(folder);
}

/** Accepts at once, so that what is left is the way there and back. */
function doNothing(): Worked {
  const elsewhere = () => Promise.reject(new Error("only sends are measured"));
  const messages: Messages = {
    send: ({ clientId }, settle) =>
      settle({
        threadId: clientId,
        clientId,
        seq: 1,
        createdAtMs: clock.nowMs(),
        duplicate: false,
        recipientOffline: false,
      }),
    raiseReceipt: elsewhere,
    flushReceipts: elsewhere,
    typing: elsewhere,
    membership: elsewhere,
  };
  return { messages, close: async () => {} };
}

/** The message service as the all-in-one program has it, with nobody online. */
async function append(folder: string): Promise<Worked> {
  const rows = new SqliteThreadStore({ path: join(folder, "threads.sqlite"), clock });
  const logs = await LevelMessageStore.open({ path: join(folder, "messages"), clock });
  const messages = assembleMessage({
    logs,
    views: soleRowViews(rows),
    channel: new SoleChannel({ clock }),
    clock,
    history: NO_HISTORY,
    damage: () => {},
    sightRule: "shared-thread",
  });
  return {
    messages,
    close: async () => {
      await messages.close();
      await logs.close();
      await rows.close();
    },
  };
}
