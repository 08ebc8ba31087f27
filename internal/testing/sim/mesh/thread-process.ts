import { userBindings } from "../../../app/assembly/assemble.ts";
import { everyPresence } from "../../../app/assembly/assemble-presence.ts";
import { assembleThreadServer } from "../../../app/assembly/assemble-thread.ts";
import { ProfileCalls } from "../../../thread/profile-calls.ts";
import { HISTORY } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** A process with the thread service. */
export function startThread(process: MeshProcess): void {
  const { clock, log, world, authenticate } = process;
  const rows = process.rows();
  const publisher = process.publisher();
  const { service, serve, leave } = assembleThreadServer({
    clock,
    log,
    rows,
    messageServers: process.neighbours.mirror("message"),
    link: (member) => process.neighbours.link(member, "message"),
    publisher,
    channel: world.mutant.publishes?.(publisher) ?? publisher,
    presence: everyPresence(process.neighbours.presenceWay()),
    history: HISTORY,
    register: () => process.register(),
  });
  const profiles = new ProfileCalls(rows, { canBeSet: false, pictureHosts: [] });
  process.answer(userBindings({ thread: service, profiles }, authenticate));
  process.serves = serve;
  process.leaves = leave;
}
