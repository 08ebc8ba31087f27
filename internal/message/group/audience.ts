import type { Roster } from "../../base/group.ts";
import { groupTopic, inbox, type Topic } from "../../base/publication.ts";

/** The users that every entry of a thread reaches. */
export interface Audience {
  /** Whose rows a touch must cover; nobody's in a large group (docs/design.md, section 6). */
  readonly touched: readonly string[];
  /** Where events go: of a direct thread in the order of its users. */
  readonly topics: readonly Topic[];
  /** The seq of the last member or setting entry in it; 0 for a direct thread. */
  readonly membersSeq: number;
  readonly isLarge: boolean;
}

/** Of a thread of which nobody knows yet who is in it. */
export const NO_AUDIENCE: Audience = { touched: [], topics: [], membersSeq: 0, isLarge: false };

/** Both users, each through the inbox. */
export function directAudience(participants: readonly string[]): Audience {
  return { ...NO_AUDIENCE, touched: participants, topics: participants.map(inbox) };
}

/** The members, through the topic of the thread (`key`: in hex). */
export function groupAudience(key: string, roster: Roster): Audience {
  const { appliedSeq, isLarge, members } = roster;
  const touched = isLarge ? [] : [...members.keys()];
  return { touched, topics: [groupTopic(key)], membersSeq: appliedSeq, isLarge };
}
