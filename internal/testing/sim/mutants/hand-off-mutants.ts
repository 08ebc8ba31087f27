import type { ServedChannel } from "../../../peers/channel-server.ts";
import type { Channel, ChannelLink } from "../../../push/ports.ts";
import { Topics, type TopicsInit } from "../../../push/topics/topics.ts";
import {
  ForgottenMarks,
  NumberKeepingRegistry,
  OpenedMarks,
} from "../../worlds/hand-off/broken-hand-offs.ts";
import { blindToMoves } from "./blind-topics.ts";
import type { Mutant } from "./mutant.ts";

/** Topics that mark by another rule. */
const marking = (markedTopics: TopicsInit["markedTopics"]): Mutant => ({
  topics: class extends Topics {
    constructor(init: TopicsInit) {
      super({ ...init, ...(markedTopics && { markedTopics }) });
    }
  },
});

/** A channel instance that is told another number than the publisher's. */
function renumbered(channel: ServedChannel, renumber: (number: number) => number): ServedChannel {
  return {
    publish: (publication, number) => channel.publish(publication, renumber(number)),
    broadcast: (publication) => channel.broadcast(publication),
    hint: (hint, number) => channel.hint(hint, renumber(number)),
    attach: (link) => channel.attach(link),
    broke: (link) => channel.broke(link),
  };
}

function hintsAreExact(channel: ServedChannel): ServedChannel {
  return {
    ...renumbered(channel, (number) => number),
    hint: async (hint, number) => {
      const { kind, incarnation } = await channel.hint(hint, number);
      return kind === "unsure" ? { kind, incarnation } : { kind: "exact", incarnation, subscribed: [true] };
    },
  };
}

function acksAtOnce(channel: Channel): Channel {
  return {
    ring: channel.ring,
    attach: (member, link) => {
      const whole = channel.attach(member, link);
      const broken: ChannelLink = {
        announce: async (number) => {
          void whole.announce(number);
          return member.incarnation;
        },
        subscribe: (topic) => whole.subscribe(topic),
        unsubscribe: (topic) => whole.unsubscribe(topic),
        close: () => whole.close(),
      };
      return broken;
    },
  };
}

function seesNoHidden(channel: Channel): Channel {
  const { ring } = channel;
  const blind = { ...ring, view: () => ({ ...ring.view(), hidden: 0 }) };
  return { ring: blind, attach: (member, link) => channel.attach(member, link) };
}

/** The mutants of the hand-off: each mechanism missing (docs/design.md, section 7). */
export const HAND_OFF_MUTANTS: Readonly<Record<string, Mutant>> = {
  "there is no repair": { publisher: (init) => ({ ...init, repairBytes: 0 }) },
  "repair stops at broadcast": { channel: hintsAreExact },
  "marked topics are not compared again": marking(ForgottenMarks),
  "acknowledgements are not waited for": { subscribes: acksAtOnce },
  "only opened topics are marked, not moved ones": marking(OpenedMarks),
  "there are no numbers": { channel: (channel) => renumbered(channel, () => Number.MAX_SAFE_INTEGER) },
  "an instance forgets its own number": {
    channel: (channel, lease) => renumbered(channel, (number) => Math.max(number, lease.incarnation)),
  },
  "a hidden registration is ignored": { subscribes: seesNoHidden },
  "a move is not compared": { topics: blindToMoves("all") },
  "a move back is not compared": { topics: blindToMoves("back") },
  "exact is said while leaving": { leavesUnsaid: true },
  "there is no lease deadline": {
    lease: (lease) => ({
      get incarnation() {
        return lease.incarnation;
      },
      isSure: () => lease.incarnation > 0,
    }),
  },
  "the incarnation stays when the lease was lost": { registry: (clock) => new NumberKeepingRegistry(clock) },
  "links are kept when the lease was lost": { areLinksKept: true },
};
