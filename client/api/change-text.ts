import type { Entry, EntryBody, MemberChange } from "../model/model.ts";

/** Users that a sentence names; the others are counted. */
const NAMED = 8;

/**
 * A member or setting entry as an English sentence without a full stop: `ann added bob and cleo`, with `you` for `userId` and what
 * `nameOf` says for others: their ids where it is left out.
 * Undefined for other entries. Names of groups are as people wrote them: show it as you show text of theirs.
 */
export function changeText(
  { sender, body }: Entry,
  userId: string,
  nameOf: (userId: string) => string = (id) => id,
): string | undefined {
  const text = sentence(sender, body, (id) => (id === userId ? "you" : nameOf(id)));
  return sender === userId ? text?.replace(/^you/, "You") : text;
}

function sentence(sender: string, body: EntryBody, called: Called): string | undefined {
  const all = (names: readonly string[]) => listed(names.map(called));
  if (body.kind === "setting_change") return `${called(sender)} named the group “${body.name}”`;
  if (body.kind !== "member_change") return undefined;
  return [came, went, roles].flatMap((part) => part(body, sender, called, all)).join("; ");
}

type Called = (name: string) => string;
type All = (names: readonly string[]) => string;

function came({ added, name }: MemberChange, sender: string, called: Called, all: All): string[] {
  const others = added.map((member) => member.userId).filter((userId) => userId !== sender);
  if (name !== undefined) {
    const withWhom = others.length > 0 ? ` with ${all(others)}` : "";
    return [`${called(sender)} made the group “${name}”${withWhom}`];
  }
  return others.length > 0 ? [`${called(sender)} added ${all(others)}`] : [];
}

function went({ removed }: MemberChange, sender: string, called: Called, all: All): string[] {
  const others = removed.filter((userId) => userId !== sender);
  const left = others.length < removed.length ? [`${called(sender)} left`] : [];
  return others.length > 0 ? [...left, `${called(sender)} removed ${all(others)}`] : left;
}

/** One who leaves as the last owner makes nobody one: the group does. */
function roles({ changed, removed }: MemberChange, sender: string, called: Called, all: All): string[] {
  const owners = changed.filter(({ role }) => role === "owner").map(({ userId }) => userId);
  const members = changed.filter(({ role }) => role !== "owner").map(({ userId }) => userId);
  const said: string[] = [];
  if (owners.length > 0 && removed.includes(sender)) {
    const [first = ""] = owners;
    said.push(`${all(owners)} ${owners.length > 1 || called(first) === "you" ? "are" : "is"} an owner now`);
  } else if (owners.length > 0) said.push(`${called(sender)} made ${all(owners)} an owner`);
  if (members.length > 0)
    said.push(`${called(sender)} made ${all(members)} a member without an owner’s rights`);
  return said;
}

/** `ann`, `ann and bob`, `ann, bob and cleo`, `ann, … and 12 others`. */
function listed(names: readonly string[]): string {
  const shown = names.length > NAMED ? names.slice(0, NAMED - 1) : names;
  const rest = names.length - shown.length;
  const parts = rest > 0 ? [...shown, `${rest} others`] : shown;
  const last = parts.at(-1) ?? "";
  return parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${last}` : last;
}
