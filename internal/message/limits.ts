/** Deadline of a call of the message store on the way of an append, in ms; after it a check-and-put's outcome is unknown. */
export const APPEND_DEADLINE_MS = 4_000;

/** Deadline of a call of the message store for a reader, in ms: half of what an RPC has. */
export const READ_DEADLINE_MS = 5_000;

/** Deadline of a call of the thread service, in ms: its `lock_timeout` is 5 s, and an append has 10 s in all. */
export const THREADS_DEADLINE_MS = 4_000;

/** How often a head is read that is older than the projection which was read after it. */
export const MAX_HEAD_READS = 8;
