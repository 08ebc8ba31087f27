import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ChannelAnswer, Publication, PublicationKind } from "../base/publication.ts";
import {
  ChannelLinkMethod,
  LinkAttachSchema,
  LinkDeliverySchema,
  LinkHintSchema,
  LinkNumberSchema,
  type LinkPublication,
  LinkPublicationKind,
  LinkPublicationSchema,
  LinkPublishSchema,
  LinkTopicSchema,
  type LinkWord,
  LinkWordKind,
  LinkWordSchema,
} from "../gen/heddle/channel/v1/channel_internal_service_pb.js";

/**
 * What a link to a channel instance carries. Methods without an output are notices: they are not answered, and one that
 * is lost ends the link. `deliver` and `hinted` come from the instance; the others go to it.
 */
export const CHANNEL = {
  publish: { number: ChannelLinkMethod.PUBLISH, input: LinkPublishSchema, output: LinkWordSchema },
  broadcast: { number: ChannelLinkMethod.BROADCAST, input: LinkPublishSchema, output: LinkWordSchema },
  hint: { number: ChannelLinkMethod.HINT, input: LinkHintSchema, output: LinkWordSchema },
  attach: { number: ChannelLinkMethod.ATTACH, input: LinkAttachSchema, output: LinkNumberSchema },
  announce: { number: ChannelLinkMethod.ANNOUNCE, input: LinkNumberSchema, output: LinkNumberSchema },
  subscribe: { number: ChannelLinkMethod.SUBSCRIBE, input: LinkTopicSchema, output: LinkNumberSchema },
  unsubscribe: { number: ChannelLinkMethod.UNSUBSCRIBE, input: LinkTopicSchema },
  goodbye: { number: ChannelLinkMethod.GOODBYE, input: LinkNumberSchema, output: LinkNumberSchema },
  deliver: { number: ChannelLinkMethod.DELIVER, input: LinkDeliverySchema },
  hinted: { number: ChannelLinkMethod.HINTED, input: LinkHintSchema },
} as const;

/** Numbers of kinds are part of the contract between builds; names are this build's own. */
const KINDS: readonly (readonly [PublicationKind, LinkPublicationKind])[] = [
  ["entry", LinkPublicationKind.ENTRY],
  ["receipt", LinkPublicationKind.RECEIPT],
  ["thread_changed", LinkPublicationKind.THREAD_CHANGED],
  ["typing", LinkPublicationKind.TYPING],
  ["device_revoked", LinkPublicationKind.DEVICE_REVOKED],
  ["block_changed", LinkPublicationKind.BLOCK_CHANGED],
];
const NUMBER_OF = new Map(KINDS);
const KIND_OF = new Map(KINDS.map(([kind, number]) => [number, kind]));

/** How publications are encoded that were encoded or decoded here: each is, once, however many links it goes over. */
const encodings = new WeakMap<Publication, Uint8Array>();

/** A publication as it crosses links. One that came over a link is given on as it came. */
export function encodePublication(publication: Publication): Uint8Array {
  let bytes = encodings.get(publication);
  if (!bytes) {
    bytes = toBinary(LinkPublicationSchema, fromPublication(publication));
    encodings.set(publication, bytes);
  }
  return bytes;
}

/**
 * The publication that crossed; `bytes` must not change any more. Throws RangeError for a kind that this build does not
 * know, or what the decoder throws: the link closes.
 */
export function decodePublication(bytes: Uint8Array): Publication {
  const publication = toPublication(fromBinary(LinkPublicationSchema, bytes));
  encodings.set(publication, bytes);
  return publication;
}

/** What is absent stays absent: an empty device_id would be one. */
function fromPublication(publication: Publication): LinkPublication {
  const { kind, topics, seq, ordinal, group, frame, thread, userId, originSession } = publication;
  const { deviceId, otherUserId, isBlocked } = publication;
  return create(LinkPublicationSchema, {
    kind: NUMBER_OF.get(kind) ?? LinkPublicationKind.UNSPECIFIED,
    topics: [...topics],
    frame,
    thread,
    seq: BigInt(seq),
    ordinal: BigInt(ordinal),
    userId,
    originSession,
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(otherUserId === undefined ? {} : { otherUserId }),
    ...(isBlocked === undefined ? {} : { isBlocked }),
    ...(group === undefined ? {} : { group: fromGroup(group) }),
  });
}

/** A group's part of a publication. `change` is there only where members came or went. */
function fromGroup({ membersSeq, change }: NonNullable<Publication["group"]>) {
  const who = change && { added: [...change.added], removed: [...change.removed] };
  return { membersSeq: BigInt(membersSeq), ...(who ? { change: who } : {}) };
}

/**
 * Throws RangeError for a kind that this build does not know: a publication that is given on half understood would not
 * be told again.
 */
function toPublication(said: LinkPublication): Publication {
  const kind = KIND_OF.get(said.kind);
  if (!kind) throw new RangeError(`a publication of kind ${said.kind}`);
  const { deviceId, otherUserId, isBlocked, group } = said;
  return {
    kind,
    topics: said.topics,
    frame: said.frame,
    thread: said.thread,
    seq: Number(said.seq),
    ordinal: Number(said.ordinal),
    userId: said.userId,
    originSession: said.originSession,
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(otherUserId === undefined ? {} : { otherUserId }),
    ...(isBlocked === undefined ? {} : { isBlocked }),
    ...(group === undefined ? {} : { group: toGroup(group) }),
  };
}

function toGroup({ membersSeq, change }: NonNullable<LinkPublication["group"]>) {
  const who = change && { added: change.added, removed: change.removed };
  return { membersSeq: Number(membersSeq), ...(who ? { change: who } : {}) };
}

/** An instance's word as it crosses. */
export function fromWord(answer: ChannelAnswer) {
  const incarnation = BigInt(answer.incarnation);
  if (answer.kind === "exact") {
    return { kind: LinkWordKind.EXACT, incarnation, subscribed: [...answer.subscribed] };
  }
  const kind = answer.kind === "broadcast" ? LinkWordKind.BROADCAST : LinkWordKind.UNSURE;
  return { kind, incarnation };
}

/** The word that crossed; undefined for one that this build does not know. */
export function toWord({ kind, incarnation, subscribed }: LinkWord): ChannelAnswer | undefined {
  const by = { incarnation: Number(incarnation) };
  if (kind === LinkWordKind.EXACT) return { kind: "exact", ...by, subscribed };
  if (kind === LinkWordKind.BROADCAST) return { kind: "broadcast", ...by };
  return kind === LinkWordKind.UNSURE ? { kind: "unsure", ...by } : undefined;
}
