import type { EntryBody, Member } from "./model.ts";

/** About how many characters a body has: what it takes in memory and on storage grows with it. */
export function bodyLength(body: EntryBody): number {
  switch (body.kind) {
    case "text":
      return body.text.length;
    case "setting_change":
      return body.name.length;
    case "member_change": {
      const users = [...body.added, ...body.changed].map((member: Member) => member.userId);
      return [...users, ...body.removed].reduce((sum, userId) => sum + userId.length + 20, 0);
    }
    default:
      return 0;
  }
}
