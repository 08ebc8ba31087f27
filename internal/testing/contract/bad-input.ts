import { randomBytes } from "node:crypto";
import { type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { SignJWT } from "jose";
import { HeddleError } from "../../base/heddle-error.ts";
import { directThreadId } from "../../base/thread-id.ts";
import { GatewayService } from "../../gen/heddle/gateway/v1/gateway_service_pb.js";
import { MessageService } from "../../gen/heddle/message/v1/message_service_pb.js";
import type { Visibility } from "../../gen/heddle/presence/v1/presence_pb.js";
import { PresenceService } from "../../gen/heddle/presence/v1/presence_service_pb.js";
import { ClientFrameSchema } from "../../gen/heddle/push/v1/frame_pb.js";
import { PushService, type SubmitRequestSchema } from "../../gen/heddle/push/v1/push_service_pb.js";
import { ThreadService } from "../../gen/heddle/thread/v1/thread_service_pb.js";
import { badGroupInput } from "./bad-group-input.ts";
import { goodSend, type Target, type Told, text } from "./bad-input-target.ts";
import { RawStream } from "./raw-stream.ts";

/** A thread that ann, who tries most of this, is not in. */
const FOREIGN = directThreadId("bob", "eve");
/** Seconds, as in the claims of a token. */
const inOneHour = () => Math.floor(Date.now() / 1000) + 3600;
/** A part of a JWT. */
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
/** A JWT of ann's without its signature. */
const jwt = (header: object) =>
  `${base64(header)}.${base64({ sub: "ann", aud: "heddle", iss: "heddle-dev", exp: inOneHour() })}`;
const list = ThreadService.method.listThreads;
const send = MessageService.method.send;

/** Every case of the table "Bad input" in docs/errors.md, by its name: what the program says to it. */
export const badInput: Readonly<Record<string, (target: Target) => Promise<Told>>> = {
  "no-token": (target) => target.told(list, {}, ""),
  "garbage-token": (target) => target.told(list, {}, "no.jwt.at-all"),
  /** alg none: a signature that is not there must not count as one. */
  "unsigned-token": (target) => target.told(list, {}, `${jwt({ alg: "none" })}.`),
  /** The public key taken for the secret of an HMAC: a verifier that goes by the header's alg would take it. */
  async "confused-token"(target) {
    const [key] = (await target.publicKeys()).slice(-1);
    const secret = Buffer.from(JSON.stringify(key));
    const claims = new SignJWT({ sub: "ann" }).setIssuer("heddle-dev").setAudience("heddle");
    const token = claims
      .setExpirationTime(inOneHour())
      .setProtectedHeader({ alg: "HS256", kid: key?.kid ?? "" });
    return target.told(list, {}, await token.sign(secret));
  },
  "wrong-audience": async (target) =>
    target.told(list, {}, await target.sign({ aud: "elsewhere", exp: inOneHour() })),
  "expired-token": async (target) =>
    target.told(list, {}, await target.sign({ aud: "heddle", exp: inOneHour() - 7200 })),
  /** Both are JWTs of the same user: only the audience and the key tell them apart. */
  "token-as-ticket": (target) => new RawStream(target.addresses.grpcUrl, target.tokens.ann).ended(),
  "ticket-as-token": async (target) => target.told(list, {}, await target.ticket()),
  /** A ticket is for one device; a frame cannot make it another's. */
  "ticket-of-another": (target) => target.ends((stream) => stream.open("tablet"), false),
  async "renew-anothers-session"(target) {
    const stream = new RawStream(target.addresses.grpcUrl, await target.ticket("bob", "bobs-phone"));
    stream.open("bobs-phone");
    const { sessionId } = await stream.next("opened");
    stream.close();
    return target.told(GatewayService.method.renewTicket, { sessionId });
  },
  "unary-too-large": (target) => target.told(list, { pageToken: randomBytes(1 << 20) }),
  /** 65 KiB: a text of 32,768 bytes is far below, and nothing else needs so much. */
  "frame-too-large": (target) => target.ends((stream) => void stream.sayBytes(randomBytes(65 * 1024))),
  "text-too-long": (target) => target.refused({ body: text("x".repeat(32_769)) }),
  "text-empty": (target) => target.refused({ body: text("") }),
  "body-missing": (target) => target.refused({ body: undefined }),
  /** Only a seal writes a void. */
  "body-void": (target) => target.refused({ body: { kind: { case: "void", value: {} } } }),
  "client-id-short": (target) => target.refused({ clientId: randomBytes(15) }),
  "user-id-bad": (target) => target.refused({ target: { case: "toUserId", value: "Ann Lee" } }),
  "to-oneself": (target) => target.refused({ target: { case: "toUserId", value: "ann" } }),
  "page-too-large": (target) =>
    target.told(MessageService.method.listEntries, { threadId: FOREIGN, pageSize: 201 }),
  "too-many-threads": (target) =>
    target.told(MessageService.method.getHeads, {
      threadIds: Array.from({ length: 201 }, () => randomBytes(16)),
    }),
  "not-protobuf": (target) => target.ends((stream) => void stream.sayBytes(Buffer.from("ffffffff", "hex"))),
  /** protobuf says that a string is UTF-8, and not every library checks it. */
  "not-utf8": (target) => target.ends((stream) => void stream.sayBytes(brokenText())),
  /** The same where another library decodes. */
  "unary-not-utf8": async (target) => notUtf8(target),
  "empty-frame": (target) => target.ends((stream) => void stream.sayBytes(new Uint8Array(0))),
  "open-missing": (target) =>
    target.ends((stream) => stream.say({ case: "ping", value: {} as never }), false),
  "open-twice": (target) => target.ends((stream) => stream.open("phone")),
  /** A stream that says nothing is ended: it would hold a seat for ever. */
  "open-never": (target) => target.ends(() => {}, false),
  "ack-too-high": (target) =>
    target.ends((stream) => stream.say({ case: "ack", value: { upTo: 1_000n } as never })),
  /** 100,000 pings: each costs the server more than the client. */
  "tiny-frames": (target) => target.ends(tinyFrames),
  "cursor-garbage": (target) => target.ends((stream) => stream.open("phone", randomBytes(20)), false),
  "page-token-garbage": (target) => target.told(list, { pageToken: randomBytes(20) }),
  /** From here on: what is not one's own is answered as if it were not there. */
  "foreign-thread-send": (target) => target.refused({ target: { case: "threadId", value: FOREIGN } }),
  "foreign-thread-history": (target) => target.told(MessageService.method.listEntries, { threadId: FOREIGN }),
  "foreign-thread-receipt": (target) =>
    said(target, { case: "receipt", value: { threadId: FOREIGN, readSeq: 1n } }),
  "watch-too-many": (target) =>
    said(target, { case: "watch", value: { userIds: Array.from({ length: 101 }, (_, at) => `user${at}`) } }),
  "watch-bad-user": (target) => said(target, { case: "watch", value: { userIds: ["Ann Lee"] } }),
  "typing-thread-short": (target) =>
    said(target, { case: "typing", value: { threadId: FOREIGN.subarray(1) } }),
  "foreign-thread-typing": (target) => said(target, { case: "typing", value: { threadId: FOREIGN } }),
  "presence-too-many": (target) =>
    target.told(PresenceService.method.listPresence, {
      userIds: Array.from({ length: 201 }, (_, at) => `user${at}`),
    }),
  "visibility-unknown": (target) =>
    target.told(PresenceService.method.setVisibility, {
      visibility: 9 as Visibility,
      requestId: randomBytes(16),
    }),
  "foreign-thread-resolve": (target) =>
    target.told(MessageService.method.resolveSend, {
      target: { case: "threadId", value: FOREIGN },
      clientId: randomBytes(16),
      seal: true,
    }),
  /** What is really not there, to compare with. */
  "no-such-thread": (target) => target.told(ThreadService.method.getThread, { threadId: randomBytes(16) }),
  "no-such-device": (target) =>
    target.told(ThreadService.method.revokeDevice, { deviceId: "never-was", requestId: randomBytes(16) }),
  /** A device that was revoked must sign in as a new one. */
  async "revoked-device"(target) {
    await ticketOfRevoked(target, "lost");
    return target.told(GatewayService.method.openSession, { deviceId: "lost" }, target.tokens.eve);
  },
  /** Its ticket was still good by its times. */
  async "revoked-device-submit"(target) {
    const frames = [{ kind: { case: "send", value: goodSend() } }];
    const request = { frames } as MessageInitShape<typeof SubmitRequestSchema>;
    return target.told(PushService.method.submit, request, await ticketOfRevoked(target, "lost-page"));
  },
  /** A client that knows more than the server: one of them was put back. */
  "base-beyond-head": (target) => target.refused({ baseSeq: 1_000_000n }),
  "other-log-epoch": (target) => target.refused({ logEpoch: 4_398_046_511_103n }),
  /** Another text under the same client_id is no retry. */
  async "client-id-reused"(target) {
    const first = goodSend();
    await target.call(send, first);
    return target.told(send, { ...first, attempt: 2, body: text("something else") });
  },
  /** Sealed first, sent afterwards: never may be answered only if it stays so. */
  async "sealed-send"(target) {
    const { clientId, ...rest } = goodSend();
    await target.call(MessageService.method.resolveSend, { target: rest.target, clientId, seal: true });
    return target.told(send, { clientId, ...rest });
  },
  "submit-without-session": (target) => submitted(target, { case: "receipt", value: { threadId: FOREIGN } }),
  "submit-open": (target) => submitted(target, { case: "open", value: { deviceId: "phone" } }),
  ...badGroupInput,
};

/** A ticket that a device of eve's got before it was revoked. */
async function ticketOfRevoked(target: Target, deviceId: string): Promise<string> {
  const ticket = await target.ticket("eve", deviceId);
  const revoking = { deviceId, requestId: randomBytes(16) };
  await target.call(ThreadService.method.revokeDevice, revoking, target.tokens.eve);
  return ticket;
}

/** A send whose text is the bytes C3 28, which no UTF-8 has. */
function brokenText(): Uint8Array {
  const frame = toBinary(ClientFrameSchema, {
    $typeName: "heddle.push.v1.ClientFrame",
    kind: {
      case: "send",
      value: {
        $typeName: "heddle.message.v1.SendRequest",
        ...goodSend(),
        body: {
          $typeName: "heddle.message.v1.Body",
          kind: { case: "text", value: { $typeName: "heddle.message.v1.Text", text: "ZZ" } },
        },
      },
    },
  });
  const bytes = Buffer.from(frame);
  bytes.set([0xc3, 0x28], bytes.indexOf("ZZ"));
  return bytes;
}

/** Over Connect's own protocol, where a test can send any bytes. */
async function notUtf8(target: Target): Promise<Told> {
  const url = `${target.addresses.webUrl}/heddle.thread.v1.ThreadService/CreateDirectThread`;
  const body = Buffer.concat([Buffer.from([0x0a, 2, 0xc3, 0x28, 0x12, 16]), randomBytes(16)]);
  const headers = { "content-type": "application/proto", authorization: `Bearer ${target.tokens.ann}` };
  const response = await fetch(url, { method: "POST", headers, body });
  const said = (await response.json()) as {
    code: string;
    message: string;
    details: { debug?: { reason: string } }[];
  };
  const code = said.code.toUpperCase();
  const { Code, ErrorReason } = await import("../../base/heddle-error.ts");
  const reason = said.details.map(({ debug }) => debug?.reason).find((name) => name) ?? "UNSPECIFIED";
  return new HeddleError(
    Code[code as keyof typeof Code],
    ErrorReason[reason as keyof typeof ErrorReason],
    said.message,
  );
}

/** Says pings as fast as the stream takes them, until it has ended or taken all. */
async function tinyFrames(stream: RawStream): Promise<void> {
  const ping = toBinary(ClientFrameSchema, {
    $typeName: "heddle.push.v1.ClientFrame",
    kind: { case: "ping", value: { $typeName: "heddle.push.v1.Ping" } },
  });
  for (let sent = 0; sent < 100_000; sent++) if (!stream.sayBytes(ping)) await stream.drained();
}

/** What a frame on a stream is refused with. */
async function said(target: Target, kind: { readonly case: string; readonly value: object }): Promise<Told> {
  const stream = await target.session();
  stream.say(kind as never);
  const refused = await stream.next("refused");
  stream.close();
  return refused;
}

/** What the outcome of one submitted frame is, where no Subscribe is open. */
async function submitted(target: Target, kind: unknown): Promise<Told> {
  const request = { frames: [{ kind }] } as MessageInitShape<typeof SubmitRequestSchema>;
  const ticket = await target.ticket("ann", "browser");
  const { outcomes } = await target.call(PushService.method.submit, request, ticket);
  const [outcome] = outcomes;
  return outcome?.kind.case === "refused" ? outcome.kind.value : undefined;
}
