import { sendOf } from "../contract-coverage/send-request.ts";
import type { RawStream } from "../raw-stream.ts";
import { USERS } from "./asker.ts";
import { type Case, firstOf } from "./calls.ts";
import { LOST, outcome, settled, type World } from "./world.ts";

/** One arm of a client's frame. */
type Said = Parameters<RawStream["say"]>[0];

/** Says a frame; resolves to "yes", or the reason with which it is refused. */
async function taken(stream: RawStream, frame: Said): Promise<string> {
  const from = stream.events.length;
  stream.say(frame);
  await settled(stream);
  const refused = stream.events.slice(from).find(({ kind }) => kind.case === "refused");
  return refused?.kind.case === "refused" ? (refused.kind.value.errorInfo?.reason ?? "") : "yes";
}

/** A fresh stream of the asker's. */
const sessionOf = (world: World, asker: keyof typeof USERS) => world.session(USERS[asker], "frames");

/** By the names of the frames in docs/authorization.md. */
export const FRAMES: Record<string, Case> = {
  open: async (world, asker) => {
    const deviceId = asker === "revoked" ? LOST : "opening";
    const ticket = asker === "revoked" ? world.lost.ticket : await world.ticket(USERS[asker], deviceId);
    const stream = await world.stream(ticket);
    stream.open(asker === "another's" ? "tablet" : deviceId);
    return outcome(firstOf(stream, asker), (said) => said);
  },
  send: async (world, asker) => {
    const stream = await sessionOf(world, asker);
    const send = sendOf(asker === "stranger" ? "ann" : world.threadOf(asker), "hi");
    return taken(stream, { case: "send", value: send as never });
  },
  receipt: async (world, asker) => {
    const value = { threadId: world.threadOf(asker), readSeq: 1n, deliveredSeq: 1n };
    return taken(await sessionOf(world, asker), { case: "receipt", value: value as never });
  },
  typing: async (world, asker) => {
    const value = { threadId: world.threadOf(asker) };
    return taken(await sessionOf(world, asker), { case: "typing", value: value as never });
  },
  watch: async (world, asker) => {
    const stream = await sessionOf(world, asker);
    stream.say({ case: "watch", value: { userIds: ["ann"] } as never });
    await settled(stream);
    return stream.events.some(({ kind }) => kind.case === "presence") ? "yes" : "none";
  },
  ack: async (world, asker) => {
    const stream = await sessionOf(world, asker);
    stream.ack();
    await settled(stream);
    return "own";
  },
  ping: async (world, asker) => {
    const stream = await sessionOf(world, asker);
    stream.say({ case: "ping", value: {} as never });
    await stream.next("pong");
    return "own";
  },
};
