import { FileStorage } from "../../../client/storage/file-storage.ts";
import { type DeviceSlot, idleSlots } from "./device-slot.ts";
import type { Settings } from "./settings.ts";
import { connectSlot } from "./slot-client.ts";

/**
 * Sends what runs beside the first left in their outboxes: nobody may ever be the second again, and what was said to
 * be kept must go out. Returns how to stop. `onProblem` hears of a device whose outbox cannot be opened: it is let go,
 * and the others are sent.
 */
export async function sendLeftovers(
  settings: Settings,
  onProblem: (text: string) => void,
): Promise<() => Promise<void>> {
  const slots = await idleSlots(settings.stateFolder);
  const started = slots.map((slot) =>
    sendLeftover(settings, slot).catch(async (fault: Error) => {
      onProblem(`what device ${slot.number} has left to send cannot be opened: ${fault.message}`);
      await slot.release();
    }),
  );
  const stops = await Promise.all(started);
  return async () => {
    await Promise.all(stops.map((stop) => stop?.()));
  };
}

/** Rejects if it cannot be opened; then all but the slot is let go. */
async function sendLeftover(settings: Settings, slot: DeviceSlot): Promise<() => Promise<void>> {
  const storage = await FileStorage.open(slot.folder);
  // Looked at before anything is dialled: mostly there is nothing to send.
  const isEmpty = ![...(await storage.load()).keys()].some((key) => key.startsWith("outbox/"));
  if (isEmpty) {
    await storage.close();
    await slot.release();
    return async () => {};
  }
  const client = await connectSlot(settings, slot, storage);
  let closing: Promise<void> | undefined;
  // Called when it is done and when the program ends, in either order.
  const close = () => {
    closing ??= client.close().then(() => slot.release());
    return closing;
  };
  client.on((event) => {
    // Failed ones stay for that device's next run, where /retry and /discard are.
    const isDone = event.type === "outbox" && client.outbox().every((item) => item.state === "failed");
    if (isDone) void close();
  });
  return close;
}
