import type { Publication } from "../../base/publication.ts";
import { DrainingReason } from "../../gen/heddle/push/v1/frame_pb.js";
import { BLOCKS } from "../limits.ts";
import type { Position } from "../session/behind-threads.ts";
import type { Session } from "../session/session.ts";

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
  /** Those who have a block with this user, in either direction. */
  #blocked: Set<string> | undefined;

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

  /** The devices that its sessions are on, each once. */
  get deviceIds(): readonly string[] {
    return [...new Set(this.#sessions.map((session) => session.identity.deviceId))];
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
    if (this.#blocked && this.#isBetweenBlocked(publication)) return;
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

  /** That a block is over may be missed from now on: it is left to the message service, which judges by its own view. */
  forgetBlocks(): void {
    this.#blocked = undefined;
  }

  /**
   * Takes a `block_changed`: whether there is a block between the two, in either direction. Sessions that open later
   * than that rely on the message service, which judges by its own view.
   */
  noteBlock({ userId, otherUserId = "", isBlocked }: Publication): void {
    const other = userId === this.userId ? otherUserId : userId;
    this.#blocked ??= new Set();
    this.#blocked.delete(other);
    if (isBlocked) {
      this.#blocked.add(other);
      for (const session of this.#sessions) session.forget((event) => this.#isBetweenBlocked(event));
    }
    const [oldest] = this.#blocked;
    if (this.#blocked.size > BLOCKS && oldest !== undefined) this.#blocked.delete(oldest);
  }

  /** Whether it is a receipt or `typing` of a direct thread between whose two there is a block. */
  #isBetweenBlocked({ kind, userId, group }: Publication): boolean {
    return (kind === "receipt" || kind === "typing") && !group && this.#blocked?.has(userId) === true;
  }
}
