/** A link asks for a sign of life after so long, and waits as long for it, in ms. */
export const KEEPALIVE_MS = 5_000;

/** The largest frame, in bytes. */
export const FRAME_BYTES = 4 * 1024 * 1024;

/** A frame is sent off when it has so many bytes; larger bodies go in parts of this size. */
export const PART_BYTES = 256 * 1024;

/** The largest body, in all its parts, in bytes: a digest of 100,000 sessions of the longest names has 60 MiB. */
export const WHOLE_BYTES = 64 * 1024 * 1024;

/** What one item counts beside its body, in bytes: the record that keeps it. */
export const ITEM_BYTES = 64;

/** Bounds of one link, in bytes. */
export interface LinkLimits {
  /** An item is taken while less than this waits to be written; then the link closes. So that and one body at most. */
  readonly queueBytes: number;
  /** Requests that are being worked on: with more, nothing is read, until half is left. */
  readonly workBytes: number;
}

export const DEFAULT_LIMITS: LinkLimits = { queueBytes: 8 * 1024 * 1024, workBytes: 4 * 1024 * 1024 };

/** The longest budget, in ms. */
export const MAX_BUDGET_MS = 60_000;
