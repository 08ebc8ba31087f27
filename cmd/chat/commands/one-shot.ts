import type { Writable } from "node:stream";
import { type Client, HeddleError, type OutboxItem, type Send } from "../../../client/index.ts";
import { untilServerKnown, waitSignal } from "../device/open-client.ts";
import type { Settings } from "../device/settings.ts";
import { ChatError, connectionProblem, EXIT, fateOfKept } from "../exit-code.ts";
import { outcomeJson } from "../lines/json-lines.ts";
import { conversationOf } from "../lines/target.ts";

/**
 * How long a sent message gets to be delivered before its tick is printed, in ms. A recipient who is there acks within
 * 200 ms; one who is away is known at once.
 */
const DELIVERY_MS = 400;

/**
 * Sends one message, prints what became of it and resolves to 0. Rejects with ChatError: 1 if it was refused, and then
 * it is forgotten; 3 if there is no outcome in time, and then it stays in the outbox and goes out with the next run.
 */
export async function sendOnce(
  client: Client,
  settings: Settings,
  to: string,
  text: string,
  output: Writable,
): Promise<number> {
  const late = waitSignal(settings);
  await untilServerKnown(client, late);
  const conversation = await conversationOf(client, settings, to);
  const send = await conversation.send(text);
  const isOver = () => client.state.phase === "signed-out";
  const over = new AbortController();
  // Signed out while it waits: the outcome will not come.
  client.on(() => isOver() && over.abort());
  if (isOver()) over.abort();
  let sent: OutboxItem;
  try {
    sent = await send.outcome(AbortSignal.any([late, over.signal]));
  } catch (thrown) {
    if (thrown instanceof HeddleError && send.item.state === "failed") {
      if (settings.json) output.write(`${JSON.stringify(outcomeJson(send.item))}\n`);
      // A one-shot has no /retry: kept, it would stand in the outbox as failed for ever.
      await client.discard(send.item.clientId);
      throw new ChatError(EXIT.failed, `not sent: ${thrown.message}`);
    }
    return kept(client, settings, send, to);
  }
  if (settings.json) output.write(`${JSON.stringify(outcomeJson(sent))}\n`);
  else {
    const reached = sent.recipientOffline ? sent : await delivered(send);
    const offline = sent.recipientOffline ? ` (${to} is offline and gets it on return)` : "";
    const mark = reached.state === "sent" ? "✓" : "✓✓";
    output.write(`${mark} ${reached.state} to ${to}, seq ${sent.seq}${offline}\n`);
  }
  return EXIT.well;
}

/**
 * Two lines: why there is no outcome, and what becomes of the message. Where an attempt was made it may have arrived;
 * it is not sent twice.
 */
function kept(client: Client, settings: Settings, send: Send, to: string): never {
  const problem = connectionProblem(client.state, settings);
  const was = send.item.attempt > 0 ? "its outcome is not known yet" : "it was not sent";
  const isConnected = client.state.phase === "live";
  throw new ChatError(
    EXIT.away,
    `${isConnected ? "no answer in time" : problem.message}\nchat: the message to ${to} is kept (${was}) and ${fateOfKept(client.state, client.userId)}`,
  );
}

/** The newest state, after a moment. */
async function delivered(send: Send): Promise<OutboxItem> {
  for await (const item of send.updates(AbortSignal.timeout(DELIVERY_MS))) {
    if (item.state === "delivered" || item.state === "read") return item;
  }
  return send.item;
}
