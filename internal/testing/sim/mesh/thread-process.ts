import { clientBindings } from "../../../app/assemble.ts";
import type { EntryTimes, GroupLog, Heads } from "../../../thread/ports.ts";
import { ProfileCalls } from "../../../thread/profile-calls.ts";
import { ThreadService } from "../../../thread/service.ts";
import { HISTORY } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";
import { presencePort } from "./presence-process.ts";
import { addressOfThread } from "./routed-messages.ts";

const MOVE_MS = 1_000;

/** A process with the thread service. */
export function startThread(process: MeshProcess): void {
  const { clock, world, authenticate } = process;
  const rows = process.rows();
  const publisher = process.publisher();
  // No link carries what the thread service asks of the message service yet.
  const log = process.farCalls<GroupLog & Heads & EntryTimes>("message", (_method, [first]) =>
    addressOfThread(process, first),
  );
  const thread = new ThreadService({
    store: rows,
    heads: log,
    log,
    presence: presencePort(process),
    channel: world.mutant.publishes?.(publisher) ?? publisher,
    history: HISTORY,
    clock,
  });
  process.parts.set("thread", thread);
  const profiles = new ProfileCalls(rows, { canBeSet: false, pictureHosts: [] });
  process.answer(clientBindings({ thread, profiles }, { users: authenticate, tickets: authenticate }));
  const registration = process.register();
  process.leaves = async () => {
    await registration.leaving();
    await process.wait(MOVE_MS);
    await publisher.drained();
    await registration.revoke();
  };
}
