import { clientBindings } from "../../../app/assembly/assemble.ts";
import { LogClient } from "../../../peers/log-client.ts";
import { RoutedLog } from "../../../peers/routed-log.ts";
import { threadHandlers } from "../../../peers/thread-server.ts";
import { servingRing } from "../../../registry/mirror.ts";
import { LinkServer } from "../../../rpc/links/link-server.ts";
import { ProfileCalls } from "../../../thread/profile-calls.ts";
import { ThreadService } from "../../../thread/service.ts";
import { HISTORY } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";
import { presencePort } from "./presence-process.ts";

const MOVE_MS = 1_000;

/** A process with the thread service. */
export function startThread(process: MeshProcess): void {
  const { clock, world, authenticate } = process;
  const rows = process.rows();
  const publisher = process.publisher();
  const log = new RoutedLog({
    ring: servingRing(process.mirror("message")),
    at: (member) => new LogClient(process.keptLink(member, "message")),
  });
  const thread = new ThreadService({
    store: rows,
    heads: log,
    log,
    presence: presencePort(process),
    channel: world.mutant.publishes?.(publisher) ?? publisher,
    history: HISTORY,
    clock,
  });
  process.serves = (below) => void new LinkServer({ ...below, service: "thread", ...threadHandlers(thread) });
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
