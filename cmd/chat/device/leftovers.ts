import { FileStorage } from "../../../client/storage/file-storage.ts";
import { fateOfKept } from "../exit-code.ts";
import { type DeviceSlot, idleSlots, renewSlot } from "./device-slot.ts";
import type { Settings } from "./settings.ts";
import { connectSlot } from "./slot-client.ts";

/** What runs beside the first left in their outboxes, on its way out. */
export interface Leftovers {
  /** Resolves to true when nothing of it waits any more, and to false when some has to wait for another run. */
  readonly areOut: Promise<boolean>;
  stop(): Promise<void>;
}

interface Leftover {
  readonly isOut: Promise<boolean>;
  stop(): Promise<void>;
}

/** How leftovers are sent. */
interface Sending {
  /**
   * The person signs in anew: a device that was signed out is so for ever, and what it left goes out as another one's.
   * Otherwise it stays.
   */
  readonly renews: boolean;
  /** Hears of a device whose outbox cannot be opened, or that was signed out: it is let go, and the others are sent. */
  readonly onProblem: (text: string) => void;
}

/**
 * Sends what runs beside the first left in their outboxes: nobody may ever be the second again, and what was said to
 * be kept must go out.
 */
export async function sendLeftovers(settings: Settings, sending: Sending): Promise<Leftovers> {
  const slots = await idleSlots(settings.stateFolder);
  const started = await Promise.all(slots.map((slot) => startLeftover(settings, slot, sending)));
  const leftovers = started.filter((leftover) => leftover !== undefined);
  return {
    areOut: Promise.all(leftovers.map(({ isOut }) => isOut)).then((all) => all.every((isOut) => isOut)),
    stop: async () => {
      await Promise.all(leftovers.map((leftover) => leftover.stop()));
    },
  };
}

async function startLeftover(
  settings: Settings,
  slot: DeviceSlot,
  sending: Sending,
): Promise<Leftover | undefined> {
  try {
    return await sendLeftover(settings, slot, sending);
  } catch (fault) {
    sending.onProblem(
      `what device ${slot.number} has left to send cannot be opened: ${(fault as Error).message}`,
    );
    await slot.release();
    return undefined;
  }
}

/** Undefined where there is nothing to send. Rejects if it cannot be opened; then all but the slot is let go. */
async function sendLeftover(
  settings: Settings,
  slot: DeviceSlot,
  sending: Sending,
): Promise<Leftover | undefined> {
  const storage = await FileStorage.open(slot.folder);
  // Looked at before anything is dialled: mostly there is nothing to send.
  const isEmpty = ![...(await storage.load()).keys()].some((key) => key.startsWith("outbox/"));
  if (isEmpty) {
    await storage.close();
    await slot.release();
    return undefined;
  }
  const client = await connectSlot(settings, slot, storage);
  const end = Promise.withResolvers<boolean>();
  let closing: Promise<void> | undefined;
  let renewed: Promise<Leftover | undefined> | undefined;
  // Called when it is done and when the program ends, in either order.
  const close = (isOut: boolean) => {
    closing ??= client.close().then(() => slot.release());
    end.resolve(isOut);
    return closing;
  };
  const renew = async () => {
    await client.close();
    return await startLeftover(settings, await renewSlot(slot), sending);
  };
  const look = () => {
    if (closing || renewed) return;
    // Failed ones stay for that device's next run, where /retry and /discard are.
    if (client.outbox().every((item) => item.state === "failed")) void close(true);
    else if (client.state.reason?.kind !== "device-revoked") return;
    else if (sending.renews) {
      renewed = renew();
      end.resolve(renewed.then((leftover) => leftover?.isOut ?? false));
    } else {
      const fate = fateOfKept(client.state, settings.userId);
      sending.onProblem(`what device ${slot.number} has left to send ${fate}`);
      void close(false);
    }
  };
  client.on((event) => {
    if (event.type === "outbox" || event.type === "state") look();
  });
  const stop = async () => {
    end.resolve(false);
    await (renewed ? (await renewed)?.stop() : close(false));
  };
  return { isOut: end.promise, stop };
}
