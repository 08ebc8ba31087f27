import { clientBindings } from "../../../app/assembly/assemble.ts";
import { assembleThreadServer } from "../../../app/assembly/assemble-thread.ts";
import { ProfileCalls } from "../../../thread/profile-calls.ts";
import { HISTORY } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";
import { presencePort } from "./presence-process.ts";

/** A process with the thread service. */
export function startThread(process: MeshProcess): void {
  const { clock, log, world, authenticate } = process;
  const rows = process.rows();
  const publisher = process.publisher();
  const { service, serve, leave } = assembleThreadServer({
    clock,
    log,
    rows,
    messageServers: process.mirror("message"),
    link: (member) => process.keptLink(member, "message"),
    publisher,
    channel: world.mutant.publishes?.(publisher) ?? publisher,
    presence: presencePort(process),
    history: HISTORY,
    register: () => process.register(),
  });
  const profiles = new ProfileCalls(rows, { canBeSet: false, pictureHosts: [] });
  process.answer(
    clientBindings({ thread: service, profiles }, { users: authenticate, tickets: authenticate }),
  );
  process.serves = serve;
  process.leaves = leave;
}
