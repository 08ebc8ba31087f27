import { useEffect } from "preact/hooks";
import { agoText, presenceText } from "../../../client/index.ts";
import type { About, People } from "../model.ts";

/** In a row: a dot for one who is online, else how long ago they were. Both are said in words too. */
export function PresenceMark({ people, userId }: { people: People; userId: string }) {
  const presence = people.presenceOf(userId);
  if (!presence) return null;
  const nowMs = people.nowMs.value;
  const ago = presence.lastSeenAtMs === undefined ? "" : agoText(presence.lastSeenAtMs, nowMs);
  const text = presenceText(presence, nowMs);
  return (
    <span class={presence.status === "online" ? "dot" : ago ? "ago" : "for-listeners"} title={text}>
      <span aria-hidden="true">{ago}</span>
      <span class="for-listeners">{text}</span>
    </span>
  );
}

/**
 * Below the name of a chat: who is writing, else whether the other is there, or how many are in the group. Listeners hear
 * of writing.
 */
export function PresenceLine(props: { people: People; chatId: string; title: string; about: About }) {
  const { people, chatId, title, about } = props;
  useEffect(() => {
    people.show("chat", about.isGroup ? [] : [title]);
    // A chat that is left is not watched any longer.
    return () => people.show("chat", []);
  }, [people, title, about.isGroup]);
  const typists = people.typistsIn(chatId);
  const presence = typists.length > 0 || about.isGroup ? undefined : people.presenceOf(title);
  return (
    <p class="presence">
      <span role="status">{typingText(typists, title, people)}</span>
      {presence?.status === "online" && <span class="dot" />}
      {presenceText(presence, people.nowMs.value)}
      {about.isGroup && typists.length === 0 && groupText(about)}
    </p>
  );
}

/** What stands below a group's name. */
function groupText({ memberCount, hasLeft }: About): string {
  if (hasLeft) return "Not a member any more";
  return memberCount === 1 ? "1 member" : `${memberCount} members`;
}

/** In a chat with one other user there is no need to say who. */
export function typingText(typists: readonly string[], title: string, people: People): string {
  if (typists.length === 0) return "";
  return typists[0] === title
    ? "typing…"
    : `${typists.map((userId) => people.nameOf(userId)).join(", ")} typing…`;
}

/** Tells who of a list's rows, each with `data-user`, is in sight. `order`: changes with the rows. */
export function useInSight(list: { current: HTMLElement | null }, order: string, people: People): void {
  useEffect(() => {
    const seen = new Set<Element>();
    const observer = new IntersectionObserver((changes) => {
      for (const { target, isIntersecting } of changes) seen[isIntersecting ? "add" : "delete"](target);
      people.show(
        "list",
        [...seen].map((row) => (row as HTMLElement).dataset.user ?? ""),
      );
    });
    for (const row of list.current?.children ?? []) observer.observe(row);
    return () => observer.disconnect();
  }, [order, people]);
}
