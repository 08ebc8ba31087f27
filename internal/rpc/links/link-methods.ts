import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type LinkItem, LinkItemKind } from "./link-frames.ts";

/** A request that a link carries: its number in the service's method enum, and what it and its answer look like. */
export interface LinkMethod<I extends DescMessage = DescMessage, O extends DescMessage = DescMessage> {
  readonly number: number;
  readonly input: I;
  readonly output: O;
}

/** What a link carries one way, without an answer. */
export interface LinkNotice<I extends DescMessage = DescMessage> {
  readonly number: number;
  readonly input: I;
}

/** A notice of a link, with what hears it: `hears` makes one, checked by the compiler. */
export interface NoticeHandler {
  readonly number: number;
  /** `body` is in memory of its own. A throw closes the link. */
  readonly hear: (body: Uint8Array) => void;
}

/** `hear` is told what was said; a throw closes the link. */
export function hears<I extends DescMessage>(
  notice: LinkNotice<I>,
  hear: (said: MessageShape<I>) => void,
): NoticeHandler {
  return { number: notice.number, hear: (body) => hear(fromBinary(notice.input, body)) };
}

/** A notice as an item. */
export function noticeItem<I extends DescMessage>(
  notice: LinkNotice<I>,
  said: MessageInitShape<I>,
): LinkItem {
  const body = toBinary(notice.input, create(notice.input, said));
  return { id: 0, kind: LinkItemKind.NOTICE, method: notice.number, budgetMs: 0, goesOn: false, body };
}
