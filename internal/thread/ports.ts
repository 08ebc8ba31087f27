import type { HandOff, Publication } from "../base/publication.ts";

/** The message service, as the thread service needs it. */
export interface Heads {
  /** Heads read from the store now, by thread id in hex; a thread without entries has seq 0. */
  heads(
    threads: readonly { readonly threadId: Uint8Array; readonly headBucket: number }[],
  ): Promise<ReadonlyMap<string, { readonly seq: number; readonly ordinal: number }>>;
}

/** The channel service, as a publisher needs it. */
export interface Channel {
  publish(publication: Publication): HandOff | Promise<HandOff>;
}

/** The store of rows and devices is a port too: domain files take it from here. */
export type { ReadPosition, ThreadRow, ThreadStore } from "../store/thread-store.ts";
