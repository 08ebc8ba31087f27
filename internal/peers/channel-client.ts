import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { CHANNEL_ANSWER_MS, type ChannelAnswer, type Hint, type Publication } from "../base/publication.ts";
import type { ChannelInstance } from "../channel/ports.ts";
import type { LinkWord } from "../gen/heddle/channel/v1/channel_internal_service_pb.js";
import type { ChannelLink, Link } from "../push/ports.ts";
import { CALL_MS } from "../rpc/links/budget.ts";
import type { LinkContext } from "../rpc/links/item-stream.ts";
import { type LinkCaller, LinkClient } from "../rpc/links/link-client.ts";
import { hears, type LinkMethod } from "../rpc/links/link-methods.ts";
import type { LinkStream } from "../rpc/links/link-stream.ts";
import { peerUnavailable } from "../rpc/links/peer-errors.ts";
import { CHANNEL, decodePublication, encodePublication, toWord } from "./channel-methods.ts";

/**
 * A channel instance in another program, as publishers ask it. No answer within CHANNEL_ANSWER_MS is none: the
 * publisher then broadcasts, so that a dead instance costs a quarter of a second and no event.
 */
export class ChannelClient implements ChannelInstance {
  readonly #link: LinkCaller;

  constructor(link: LinkCaller) {
    this.#link = link;
  }

  /** `number`: of the ring that the publisher sees. Rejects with PEER_UNAVAILABLE after a quarter of a second. */
  async publish(publication: Publication, number: number): Promise<ChannelAnswer> {
    const request = { publication: encodePublication(publication), number: BigInt(number) };
    return word(await this.#link.call(CHANNEL.publish, request, CHANNEL_ANSWER_MS));
  }

  /** For every link of the instance. Without a number: it is right under any ring. */
  async broadcast(publication: Publication): Promise<ChannelAnswer> {
    return word(
      await this.#link.call(
        CHANNEL.broadcast,
        { publication: encodePublication(publication) },
        CHANNEL_ANSWER_MS,
      ),
    );
  }

  /** That a topic may have had an event; a few bytes, so it is repeated freely. */
  async hint({ topic, seq }: Hint, number: number): Promise<ChannelAnswer> {
    const request = { topic, seq: BigInt(seq), number: BigInt(number) };
    return word(await this.#link.call(CHANNEL.hint, request, CHANNEL_ANSWER_MS));
  }
}

/** The instance's word. One that this build does not know is no word at all: `exact` must never be guessed. */
function word(said: LinkWord): ChannelAnswer {
  const answer = toWord(said);
  if (!answer) throw peerUnavailable("channel", new Error("a word that is not known"));
  return answer;
}

/**
 * Attaches a push server over a stream that was dialled to an instance. What is not answered in time ends the link:
 * the push server then attaches anew and compares.
 */
export function attachChannel(context: LinkContext, stream: LinkStream, link: Link): ChannelLink {
  let hasSaidGoodbye = false;
  const client = new LinkClient({
    ...context,
    stream,
    service: "channel",
    notices: [
      hears(CHANNEL.deliver, ({ publication, topics }) =>
        link.deliver(decodePublication(publication), topics),
      ),
      hears(CHANNEL.hinted, ({ topic, seq }) => link.hint({ topic, seq: Number(seq) })),
    ],
    closed: () => {
      if (!hasSaidGoodbye) link.closed();
    },
  });
  /** Never settles once the link has ended. */
  const ask = <I extends DescMessage, O extends DescMessage>(
    method: LinkMethod<I, O>,
    request: MessageInitShape<I>,
  ) =>
    new Promise<MessageShape<O>>((resolve) => {
      client.call(method, request, CALL_MS).then(resolve, () => client.close());
    });
  // First on the stream. What is asked after it needs no wait: a link keeps the order.
  void ask(CHANNEL.attach, { name: link.name });
  return {
    announce: async (number) => Number((await ask(CHANNEL.announce, { number: BigInt(number) })).number),
    subscribe: async (topic) => {
      await ask(CHANNEL.subscribe, { topic });
    },
    unsubscribe: (topic) => client.notify(CHANNEL.unsubscribe, { topic }),
    heardAtMs: () => client.heardAtMs,
    close: async () => {
      // Before the call: the push server has left, and must not be told that its link broke.
      hasSaidGoodbye = true;
      await client.call(CHANNEL.goodbye, {}, CALL_MS).catch(() => {}); // Broken: nothing more comes.
      client.close();
    },
  };
}
