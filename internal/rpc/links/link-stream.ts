import type { ByteStream } from "../calls/byte-stream.ts";

/**
 * One half of the stream below a link: the same at both ends. A server's `ByteStream` is one; so are the dialling half
 * of grpc-js (grpc-dialler.ts), a pair in memory (memory-pair.ts), and a pair of a simulated network. Who makes another
 * must keep this:
 *
 * - Messages arrive whole, in order, each once, or the stream closes. Never one without those before it.
 * - `write` takes the bytes as they are; they do not change afterwards. False says: hold until `onDrain`. What is
 *   written all the same is kept. `bufferedBytes` is what was written and has not left yet.
 * - `onMessage` hands over bytes that never change and may be a view of a larger buffer. After `pause` at most one more.
 * - `end` lets out what was written, then closes both halves. What was on its way to this half may be lost.
 * - `onClose` is called once, however the stream ended, at both ends (on a half-open connection: at neither, until the
 *   link's own signs of life stay away). Why it ended means nothing: no status of a transport crosses a link.
 * - No method calls a callback from within itself, but `pause` and `resume` may be called in any callback.
 */
export type LinkStream = Pick<
  ByteStream,
  "write" | "bufferedBytes" | "onDrain" | "onMessage" | "pause" | "resume" | "onHalfClose" | "onClose" | "end"
>;
