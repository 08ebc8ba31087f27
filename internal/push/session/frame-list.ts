/** Encoded frames that wait, in order, with their bytes counted. */
export class FrameList {
  #frames: Uint8Array[] = [];
  #bytes = 0;

  get count(): number {
    return this.#frames.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  addFrame(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  /** Removes and returns the oldest ones that fit into `spare` bytes together. */
  takeFrames(spare: number): Uint8Array[] {
    let bytes = 0;
    let count = 0;
    for (const frame of this.#frames) {
      if (bytes + frame.length > spare) break;
      bytes += frame.length;
      count++;
    }
    this.#bytes -= bytes;
    return this.#frames.splice(0, count);
  }
}

/** What frames take together. */
export function bytesOf(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, frame) => sum + frame.length, 0);
}

/**
 * The frames as one: concatenated protobuf messages merge, and their repeated fields append. In memory shared with
 * other buffers, since it is for the transport, which copies it or lets it go soon.
 */
export function joined(frames: readonly Uint8Array[]): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.allocUnsafe(bytesOf(frames));
  const bytes = new Uint8Array(buffer, byteOffset, length);
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}
