import type { Client } from "../../../../client/index.ts";
import type { Plan, UserStep } from "../plan/plan.ts";
import { type ChattingDevice, shownText } from "./device-notes.ts";

/** What persons act on. */
export interface Stage {
  readonly plan: Pick<Plan, "threads">;
  /** The id of each group of the plan that was made. */
  readonly threadIds: readonly (string | undefined)[];
  readonly devices: readonly ChattingDevice[];
}

/** A person does something on a device. Rejects as the client does. */
export async function act(stage: Stage, device: ChattingDevice, step: UserStep): Promise<void> {
  const { client } = device;
  if (!client) return;
  if ("change" in step) {
    const threadId = stage.threadIds[step.thread];
    if (threadId) await changeGroup(client, device, threadId, step);
  } else if ("peer" in step) {
    await noted(device, step.what, `u${step.peer}`, () =>
      step.what === "block" ? client.blocks.block(`u${step.peer}`) : client.blocks.unblock(`u${step.peer}`),
    );
  } else if (step.what === "hide" || step.what === "show") {
    await noted(device, step.what, device.user, () =>
      client.setVisibility(step.what === "hide" ? "nobody" : "shared"),
    );
  } else if (step.what === "sign out") {
    const other = stage.devices[step.other];
    if (other) await noted(device, step.what, other.name, () => client.revokeDevice(other.name));
  } else if ("thread" in step) await chat(stage, client, device, step);
}

async function changeGroup(
  client: Client,
  device: ChattingDevice,
  threadId: string,
  { change, peer }: Extract<UserStep, { change: string }>,
): Promise<void> {
  const user = change === "leave group" ? device.user : `u${peer}`;
  const { groups } = client;
  await noted(device, change, `${threadId} ${user}`, () => {
    if (change === "add") return groups.add(threadId, [user]);
    return change === "remove" ? groups.remove(threadId, [user]) : groups.leave(threadId);
  });
}

async function chat(
  { plan, threadIds }: Stage,
  client: Client,
  device: ChattingDevice,
  step: Extract<UserStep, { what: "write" | "read" | "type" }>,
): Promise<void> {
  const members = plan.threads[step.thread] ?? [];
  const peer = members.length === 2 ? members.find((user) => `u${user}` !== device.user) : undefined;
  const threadId = threadIds[step.thread];
  if (peer === undefined && !threadId) return;
  const conversation =
    peer === undefined ? client.conversation(threadId as string) : await client.direct(`u${peer}`);
  if (peer !== undefined) {
    device.notes.chatsWith(conversation.threadId, `u${peer}`);
    putOnScreen(device, chatsOf(plan, device.user));
  }
  if (step.what === "read") {
    conversation.markRead();
    const seq = conversation.entries.at(-1)?.seq;
    if (seq !== undefined) device.notes.tell({ type: "read", thread: conversation.threadId, seq });
  }
  if (step.what === "type") client.typing(conversation.threadId);
  if (step.what !== "write") return;
  const { item } = await conversation.send(step.text);
  device.notes.tell({
    type: "write",
    thread: item.threadId,
    clientId: item.clientId,
    text: shownText(step.text),
  });
}

/** Puts these users on the screen, and nobody else. */
export function putOnScreen({ client, notes }: ChattingDevice, users: readonly string[]): void {
  client?.watch(users);
  notes.watches(users);
}

/** Everybody that a user has a direct thread with: the list of chats is on the screen. */
export function chatsOf({ threads }: Pick<Plan, "threads">, user: string): string[] {
  return threads
    .filter((members) => members.length === 2 && members.some((member) => `u${member}` === user))
    .map((members) => `u${members.find((member) => `u${member}` !== user)}`);
}

/** Notes that something was asked for, and what came of it. */
async function noted(
  device: ChattingDevice,
  what: string,
  about: string,
  change: () => Promise<unknown>,
): Promise<void> {
  device.notes.tell({ type: "change", what, about, state: "asked" });
  try {
    await change();
    device.notes.tell({ type: "change", what, about, state: "answered" });
  } catch (error) {
    device.notes.tell({ type: "change", what, about, state: "refused" });
    throw error;
  }
}
