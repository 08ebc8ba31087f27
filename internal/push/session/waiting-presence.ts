/**
 * What a session is to be told of the users that it watches: the newest per user, so at most one for each of the 100
 * that it may watch, and PRESENCE_BYTES in all. Nothing of it is ever dropped: what is shown last is what was told last.
 */
export class WaitingPresence {
  /** One encoded ServerFrame each, shared by all sessions that are told. */
  readonly #frames = new Map<string, Uint8Array>();
  #bytes = 0;

  get count(): number {
    return this.#frames.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the place of what waits of the user. */
  setFrame(userId: string, frame: Uint8Array): void {
    this.#bytes += frame.length - (this.#frames.get(userId)?.length ?? 0);
    this.#frames.set(userId, frame);
  }

  /** Drops what waits of users who are not watched any more. */
  keepOnly(userIds: ReadonlySet<string>): void {
    for (const [userId, frame] of this.#frames) if (!userIds.has(userId)) this.#remove(userId, frame);
  }

  /** Removes and returns those that have waited longest: at most `count`, together at most `bytes`. */
  takeFrames(count: number, bytes: number): Uint8Array[] {
    const leaving: Uint8Array[] = [];
    let room = bytes;
    for (const [userId, frame] of this.#frames) {
      room -= frame.length;
      if (leaving.length >= count || room < 0) break;
      leaving.push(frame);
      this.#remove(userId, frame);
    }
    return leaving;
  }

  #remove(userId: string, frame: Uint8Array): void {
    this.#frames.delete(userId);
    this.#bytes -= frame.length;
  }
}
