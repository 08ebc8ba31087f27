import type { Attachment, ChannelInstance, Link } from "../channel/ports.ts";
import { hears } from "../rpc/links/link-methods.ts";
import { type LinkBelow, LinkServer, serves } from "../rpc/links/link-server.ts";
import { CHANNEL, decodePublication, encodePublication, fromWord } from "./channel-methods.ts";

/** A channel instance, as links need it. */
export interface ServedChannel extends ChannelInstance {
  attach(link: Link): Attachment;
  /** The connection of the link broke. */
  broke(link: Link): void;
}

/** Serves one link to a channel instance: of a publisher, or of a push server, whose part of it ends with the link. */
export function serveChannel(channel: ServedChannel, below: LinkBelow): void {
  /** Set by `attach`. Of a link that only publishes it stays undefined. */
  let attached: { readonly link: Link; readonly to: Attachment } | undefined;
  /** Throws RangeError, which the other end gets as a fault: it speaks another order than ours. */
  const attachment = (): Attachment => {
    if (!attached) throw new RangeError("asked before it was attached");
    return attached.to;
  };
  /**
   * The push server at the other end, as the instance calls it. Nothing here blocks: what waits is bounded by the link,
   * which closes when it is full.
   */
  const link = (name: string): Link => ({
    name,
    deliver: (publication, topics) =>
      server.notify(CHANNEL.deliver, { publication: encodePublication(publication), topics: [...topics] }),
    hint: ({ topic, seq }) => server.notify(CHANNEL.hinted, { topic, seq: BigInt(seq) }),
    closed: () => {
      attached = undefined;
      server.close();
    },
  });
  const server: LinkServer = new LinkServer({
    ...below,
    service: "channel",
    handlers: [
      serves(CHANNEL.publish, async ({ publication, number }) =>
        fromWord(await channel.publish(decodePublication(publication), Number(number))),
      ),
      serves(CHANNEL.broadcast, async ({ publication }) =>
        fromWord(await channel.broadcast(decodePublication(publication))),
      ),
      serves(CHANNEL.hint, async ({ topic, seq, number }) =>
        fromWord(await channel.hint({ topic, seq: Number(seq) }, Number(number))),
      ),
      serves(CHANNEL.attach, ({ name }) => {
        if (attached) throw new RangeError("attached twice");
        const opened = link(name);
        attached = { link: opened, to: channel.attach(opened) };
        return {};
      }),
      serves(CHANNEL.announce, async ({ number }) => ({
        number: BigInt(await attachment().announce(Number(number))),
      })),
      serves(CHANNEL.subscribe, async ({ topic }) => {
        await attachment().subscribe(topic);
        return {};
      }),
      // Answered when what was queued has gone out, so that the push server may close after it.
      serves(CHANNEL.goodbye, async () => {
        // Taken out first: what closes the link from here on is no break.
        const leaving = attachment();
        attached = undefined;
        await leaving.close();
        return {};
      }),
    ],
    notices: [hears(CHANNEL.unsubscribe, ({ topic }) => attachment().unsubscribe(topic))],
    closed: () => {
      if (attached) channel.broke(attached.link);
      attached = undefined;
    },
  });
}
