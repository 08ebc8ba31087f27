import { clientBindings, rowViews } from "../../../app/assembly/assemble.ts";
import { assembleMessageServer } from "../../../app/assembly/assemble-message.ts";
import { HISTORY, SIGHT_RULE } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";
import { presencePort } from "./presence-process.ts";

/** A process with the message service. */
export function startMessage(process: MeshProcess): void {
  const { name, clock, log, world, authenticate } = process;
  const publisher = process.publisher();
  const { service, serve, leave } = assembleMessageServer({
    name,
    clock,
    log,
    logs: process.logs(),
    views: rowViews(process.rows(), clock),
    servers: process.mirror("message"),
    publisher,
    channel: world.mutant.publishes?.(publisher) ?? publisher,
    presence: presencePort(process),
    history: HISTORY,
    damage: () => world.threw(new Error("a log is damaged")),
    sightRule: SIGHT_RULE,
    register: () => process.register(),
  });
  process.answer(clientBindings({ message: service }, { users: authenticate, tickets: authenticate }));
  process.serves = serve;
  process.leaves = leave;
}
