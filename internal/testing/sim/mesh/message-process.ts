import { assembleMessage, clientBindings, rowViews, tellPresence } from "../../../app/assembly/assemble.ts";
import { logHandlers } from "../../../peers/log-server.ts";
import { messageHandlers } from "../../../peers/message-server.ts";
import { servingRing } from "../../../registry/mirror.ts";
import { SETTLE_MS } from "../../../rpc/links/budget.ts";
import { LinkServer } from "../../../rpc/links/link-server.ts";
import { HISTORY, SIGHT_RULE } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";
import { presencePort } from "./presence-process.ts";

/** After it is `leaving` others have so long to hear of it, in ms. */
const MOVE_MS = 1_000;

/** A process with the message service. */
export function startMessage(process: MeshProcess): void {
  const { clock, world, authenticate } = process;
  const views = rowViews(process.rows(), clock);
  const publisher = process.publisher();
  const damage = () => world.threw(new Error("a log is damaged"));
  const message = assembleMessage({
    logs: process.logs(),
    views,
    channel: world.mutant.publishes?.(publisher) ?? publisher,
    servers: { ring: servingRing(process.mirror("message")), name: process.name },
    sendMs: SETTLE_MS,
    clock,
    history: HISTORY,
    damage,
    sightRule: SIGHT_RULE,
  });
  tellPresence(views, presencePort(process));
  process.answer(clientBindings({ message }, { users: authenticate, tickets: authenticate }));
  const handlers = [...messageHandlers(message, clock), ...logHandlers(message, clock)];
  process.serves = (below) => void new LinkServer({ ...below, service: "message", handlers });
  const registration = process.register();
  process.leaves = async () => {
    await registration.leaving();
    await process.wait(MOVE_MS);
    await message.close();
    await publisher.drained();
    await registration.revoke();
  };
}
