import type { Publication } from "../base/publication.ts";
import { DrainingReason } from "../gen/heddle/push/v1/frame_pb.js";
import type { Position } from "./behind-threads.ts";
import { BLOCKS } from "./limits.ts";
import type { Session } from "./session.ts";

/** Who has blocked whom, of a pair. */
interface Block {
  byUser: boolean;
  byOther: boolean;
}

/** A user who has a session here: its sessions, and what is known of the user for as long as it has one. */
export class OnlineUser {
  readonly userId: string;
  #sessions: readonly Session[] = [];
  /** Whether every later publication to its inbox surely comes. */
  isSubscribed = false;
  /** Whether its groups have been listed since then. */
  areGroupsListed = false;
  /** In how many of its groups it is not known whether it is a member. */
  unknownGroups = 0;
  /** The groups (hex) whose topics it is in; an array, since there are as many as users times their groups. */
  readonly groups: string[] = [];
  #blocks: Map<string, Block> | undefined;

  constructor(userId: string) {
    this.userId = userId;
  }

  /** Whether every later publication that it may see surely reaches its sessions. */
  get isReady(): boolean {
    return this.isSubscribed && this.areGroupsListed && this.unknownGroups === 0;
  }

  get hasSessions(): boolean {
    return this.#sessions.length > 0;
  }

  add(session: Session): void {
    this.#sessions = [...this.#sessions, session];
  }

  /** False if it is not the user's. */
  remove(session: Session): boolean {
    const left = this.#sessions.filter((one) => one !== session);
    const isRemoved = left.length < this.#sessions.length;
    this.#sessions = left;
    return isRemoved;
  }

  /** To every session but the one that caused it, which has its own answer. */
  push(publication: Publication): void {
    if (this.#blocks && this.#isBetweenBlocked(publication)) return;
    for (const session of this.#sessions) {
      if (session.identity.key !== publication.originSession) session.push(publication);
    }
  }

  fallBehind(thread: string, head: Position): void {
    for (const session of this.#sessions) session.fallBehind(thread, head);
  }

  /** Every session goes on to its backfill, or compares. */
  subscribed(): void {
    for (const session of this.#sessions) session.subscribed();
  }

  /** Every session whose backfill has begun compares. */
  compare(): void {
    for (const session of this.#sessions) session.compare();
  }

  /** Ends the sessions of a device. */
  revoke(deviceId: string | undefined): void {
    for (const session of this.#sessions) {
      if (session.identity.deviceId === deviceId) session.drain(DrainingReason.DEVICE_REVOKED, 0, 0);
    }
  }

  /**
   * Takes a `block_changed`. What this user's sessions were told before is not known: whoever comes later relies on the
   * message service, which judges by its own view.
   */
  noteBlock({ userId, otherUserId = "", isBlocked = false }: Publication): void {
    const byUser = userId === this.userId;
    const other = byUser ? otherUserId : userId;
    this.#blocks ??= new Map();
    const block = this.#blocks.get(other) ?? { byUser: false, byOther: false };
    if (byUser) block.byUser = isBlocked;
    else block.byOther = isBlocked;
    this.#blocks.delete(other);
    if (block.byUser || block.byOther) this.#blocks.set(other, block);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > BLOCKS && oldest !== undefined) this.#blocks.delete(oldest);
  }

  /** Whether it is a receipt or `typing` of a direct thread whose two have a block between them. */
  #isBetweenBlocked({ kind, userId, group }: Publication): boolean {
    return (kind === "receipt" || kind === "typing") && !group && this.#blocks?.has(userId) === true;
  }
}
