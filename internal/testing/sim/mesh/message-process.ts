import { assembleMessage, rowViews, tellPresence, userBindings } from "../../../app/assembly/assemble.ts";
import { assembleMessageServer, type MessageServerInit } from "../../../app/assembly/assemble-message.ts";
import { everyPresence } from "../../../app/assembly/assemble-presence.ts";
import type { Held } from "../../../app/assembly/held.ts";
import type { MessageService } from "../../../message/service.ts";
import { logHandlers } from "../../../peers/log-server.ts";
import { messageHandlers } from "../../../peers/message-server.ts";
import { LinkServer } from "../../../rpc/links/link-server.ts";
import { HISTORY, SIGHT_RULE } from "./deployment.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** A process with the message service. */
export function startMessage(process: MeshProcess): void {
  const { name, clock, log, world, authenticate } = process;
  const publisher = process.publisher();
  const assemble = world.mutant.isMessageAlone ? assembleAlone : assembleMessageServer;
  const { service, serve, leave } = assemble({
    name,
    clock,
    log,
    logs: process.logs(),
    views: rowViews(process.rows(), clock),
    servers: process.neighbours.mirror("message"),
    publisher,
    channel: world.mutant.publishes?.(publisher) ?? publisher,
    presence: everyPresence(process.neighbours.presenceWay()),
    history: HISTORY,
    damage: () => world.threw(new Error("a log is damaged")),
    sightRule: SIGHT_RULE,
    register: () => process.register(),
  });
  process.answer(userBindings({ message: service }, authenticate));
  process.serves = serve;
  process.leaves = leave;
}

/** For a mutant: a message server that knows of no other, and so takes what it once read for what is. */
function assembleAlone(init: MessageServerInit): Held<MessageService> {
  const { clock, views, publisher, channel = publisher } = init;
  const { logs, history, damage, sightRule } = init;
  const service = assembleMessage({ logs, views, channel, clock, history, damage, sightRule });
  tellPresence(views, init.presence);
  const registration = init.register();
  const handlers = [...messageHandlers(service, clock), ...logHandlers(service, clock)];
  return {
    service,
    serve: (below) => void new LinkServer({ ...below, service: "message", handlers }),
    leave: () => registration.revoke(),
  };
}
