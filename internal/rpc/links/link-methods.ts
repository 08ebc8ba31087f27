import type { DescMessage } from "@bufbuild/protobuf";

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

/** A notice of a link, with what hears it. */
export interface NoticeHandler {
  readonly number: number;
  /** `body` is in memory of its own. A throw closes the link. */
  readonly hear: (body: Uint8Array) => void;
}
