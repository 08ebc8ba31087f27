import { create } from "@bufbuild/protobuf";
import type { Clock } from "../../internal/base/clock.ts";
import { invalidField } from "../../internal/base/heddle-error.ts";
import { USER_ID_PATTERN, USER_ID_RULE } from "../../internal/base/ids.ts";
import { ClientFrameSchema } from "../../internal/gen/heddle/push/v1/frame_pb.js";
import type { Session } from "../stream/session.ts";
import type { PresenceBoard } from "./presence-board.ts";

/** What a session may watch (docs/design.md, section 4). */
const MOST_WATCHED = 100;
/** Changes are gathered this long: a list that scrolls changes often. */
const GATHER_MS = 150;
/** A user who is newly watched and may be seen is heard of at once; when nothing comes by then, nothing is known. */
const DOUBT_MS = 2_000;
/** A frame that did not arrive is said again after this. */
const AGAIN_MS = 2_000;

/** The users on screen, as the newest session knows them. */
export class PresenceWatch {
  readonly #board: PresenceBoard;
  readonly #clock: Clock;
  #users: ReadonlySet<string> = new Set();
  /** Of this session. */
  #said: ReadonlySet<string> = new Set();
  #session: Session | undefined;
  #cancel: (() => void) | undefined;

  constructor(board: PresenceBoard, clock: Clock) {
    this.#board = board;
    this.#clock = clock;
  }

  get users(): ReadonlySet<string> {
    return this.#users;
  }

  /** Replaces the set. Throws INVALID_ARGUMENT for more than 100 users, and for what is no user. */
  set(userIds: Iterable<string>): void {
    const users = new Set(userIds);
    if (users.size > MOST_WATCHED) throw invalidField("userIds", `at most ${MOST_WATCHED} users`);
    if (![...users].every((userId) => USER_ID_PATTERN.test(userId)))
      throw invalidField("userIds", `each ${USER_ID_RULE}`);
    this.#users = users;
    this.#schedule(GATHER_MS);
  }

  /** The newest session has heard nothing yet; undefined: there is none. */
  setSession(session: Session | undefined): void {
    this.#session = session;
    this.#said = new Set();
    this.#say();
  }

  /** Asks again for a user that the server may have had a reason to be silent about. */
  again(userId: string): void {
    if (!this.#users.has(userId)) return;
    this.#said = without(this.#said, userId);
    this.#schedule(GATHER_MS);
  }

  #schedule(ms: number): void {
    this.#cancel ??= this.#clock.after(ms, () => this.#say());
  }

  #say(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const session = this.#session;
    const users = this.#users;
    const added = [...users].filter((userId) => !this.#said.has(userId));
    if (!session || session.isOver || (added.length === 0 && users.size === this.#said.size)) return;
    this.#said = users;
    const since = this.#board.words;
    this.#clock.after(DOUBT_MS, () => {
      // Those who left the screen in the meantime are not heard of any more, and are no less known than before.
      if (this.#session === session)
        this.#board.doubt(
          added.filter((userId) => this.#users.has(userId)),
          since,
        );
    });
    const frame = create(ClientFrameSchema, { kind: { case: "watch", value: { userIds: [...users] } } });
    const failed = () => {
      if (this.#session !== session || session.isOver || this.#said !== users) return;
      this.#said = new Set();
      this.#schedule(AGAIN_MS);
    };
    session.say(frame).then((outcome) => outcome?.kind.case === "refused" && failed(), failed);
  }
}

function without(users: ReadonlySet<string>, userId: string): ReadonlySet<string> {
  return new Set([...users].filter((each) => each !== userId));
}
