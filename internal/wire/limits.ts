/** What a client's frame may hold, by the schema and docs/design.md; push/doors/client-frames.test.ts compares them. */

/** The largest frame of a client. */
export const FRAME_BYTES = 64 * 1024;

/** thread_id and client_id. */
export const ID_BYTES = 16;

/** The longest text, in bytes of UTF-8. */
export const TEXT_BYTES = 32_768;
