import { ErrorReason, HeddleError, threadNotFound } from "../../../base/heddle-error.ts";
import type { HandOff, Publication } from "../../../base/publication.ts";
import type { Send } from "../../../base/send.ts";
import type { LinkCaller } from "../../../rpc/links/link-client.ts";
import { decodeFrame, LinkItemKind } from "../../../rpc/links/link-frames.ts";
import type { LinkStream } from "../../../rpc/links/link-stream.ts";
import { HAND_OFF_MUTANTS } from "./hand-off-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { type Method, replacing } from "./replacing.ts";

/** True for every so many-th call. */
function every(count: number): () => boolean {
  let calls = 0;
  return () => ++calls % count === 0;
}

/** A link that says of a fault of its own that the service refused. */
function refusing(link: LinkCaller): LinkCaller {
  return {
    notify: (notice, said) => link.notify(notice, said),
    call: (method, request, budgetMs) =>
      link.call(method, request, budgetMs).catch((error) => {
        const isTransport = error instanceof HeddleError && error.reason === ErrorReason.PEER_UNAVAILABLE;
        throw isTransport ? threadNotFound() : error;
      }),
  };
}

/** By the client_id as a push server holds it: the attempt as which its client sent it. */
const firstAttempts = new WeakMap<Uint8Array, number>();

/** What of notices waits on a link before it skips the next ones, in bytes: little, as is what the simulator writes. */
const FULL_BYTES = 1_000;

/** A stream that leaves out what is not answered where much waits already, and goes on. */
function skipping(stream: LinkStream): LinkStream {
  return replacing(stream, "write", (write) => {
    const writeOrSkip = (bytes: Uint8Array) => {
      const isNotice = decodeFrame(bytes).every(({ kind }) => kind === LinkItemKind.NOTICE);
      return isNotice && stream.bufferedBytes > FULL_BYTES ? true : write(bytes as never);
    };
    return writeOrSkip as Method;
  });
}

/** Broken variants, each of which some seed must find. */
export const MUTANTS: Readonly<Record<string, Mutant>> = {
  ...HAND_OFF_MUTANTS,
  "an error of the transport is passed on as the service's": { caller: refusing },
  "a link skips on when it is full": {
    channelBelow: (below) => ({ ...below, stream: skipping(below.stream) }),
  },
  "a view is never refreshed": { isMessageAlone: true },
  "who leaves unregisters first": { unregistersFirst: true },
  "attempt is not raised on a resend": {
    messages: (server) =>
      replacing(server, "send", (send) => {
        const again = (sent: Send, ...others: unknown[]) => {
          const attempt = firstAttempts.get(sent.clientId) ?? sent.attempt;
          firstAttempts.set(sent.clientId, attempt);
          return send({ ...sent, attempt } as never, ...(others as never[]));
        };
        return again as unknown as Method;
      }),
  },
  "presence takes push servers that are not known yet for gone": {
    pushServers: (ring) => ({ ...ring, view: () => ({ ...ring.view(), state: "known" }) }),
  },
  "an entry in eight is not published": {
    publishes: (channel) =>
      replacing(channel, "publish", (publish) => {
        const isDue = every(8);
        return ((publication: Publication): HandOff => {
          if (publication.kind !== "entry" || !isDue()) return publish(publication as never) as HandOff;
          return { subscribed: publication.topics.map(() => true) };
        }) as Method;
      }),
  },
  "an append in forty is acknowledged and not stored": {
    logs: (logs) =>
      replacing(logs, "checkAndPut", (put) => {
        const isDue = every(40);
        return ((...values: never[]) => (isDue() ? Promise.resolve(true) : put(...values))) as Method;
      }),
  },
  "a touch in three is not written": {
    rows: (rows) =>
      replacing(rows, "touch", (touch) => {
        const isDue = every(3);
        return ((...values: never[]) => (isDue() ? Promise.resolve() : touch(...values))) as Method;
      }),
  },
  "a touch is of the process's clock": {
    rowsOf: (rows, storeClock, own) =>
      replacing(rows, "touch", (touch) => {
        const touchByOwn = async (...values: never[]) => {
          storeClock.lent = own;
          try {
            await touch(...values);
          } finally {
            storeClock.lent = undefined;
          }
        };
        return touchByOwn as Method;
      }),
  },
  "read positions are not written": {
    logs: (logs) =>
      replacing(
        logs,
        "put",
        (put) =>
          ((...values: never[]) =>
            (values as unknown[])[1] === "r" ? Promise.resolve() : put(...values)) as Method,
      ),
  },
};
