import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Member } from "../../../client/index.ts";
import type { Conversation, Model } from "../model.ts";
import { Avatar } from "../parts/avatar.tsx";
import { type Change, changeProblem } from "../parts/change-problem.ts";

interface ListProps {
  readonly model: Model;
  readonly conversation: Conversation;
  readonly change: Change;
  /** Those known so far. */
  readonly members: Signal<readonly Member[]>;
}

/**
 * Who is in the group, read anew when that changes. Owners can give roles and remove. Pages of 200 come one by one, as
 * a group may have 10,000; what one does with a member is shown by the entry that it makes.
 */
export function MemberList({ model, conversation, change, members }: ListProps) {
  const { chatId, about } = conversation;
  const next = useSignal<string | undefined>(undefined);
  const problem = useSignal("");
  const { memberCount, role } = about.value;
  // A change of members, roles or name is an entry: a new one means that the list may be old.
  const newestChange = conversation.lines.value.findLast((line) => line.isChange)?.seq;
  // `isWanted`: false once another fetch has begun, whose answer counts.
  const fetchPage = async (pageToken?: string, isWanted = () => true) => {
    try {
      const page = await model.groups.members(chatId, pageToken);
      if (!isWanted()) return;
      // The first page begins the list anew; others go below it.
      members.value = pageToken === undefined ? page.members : [...members.value, ...page.members];
      next.value = page.nextPageToken;
      problem.value = "";
    } catch (error) {
      // What was fetched before stays: an old list is better than none.
      if (isWanted()) problem.value = changeProblem(error);
    }
  };
  useEffect(() => {
    let isOver = false;
    void fetchPage(undefined, () => !isOver);
    return () => {
      isOver = true;
    };
  }, [chatId, newestChange, memberCount, role]);

  return (
    <>
      <h3>{memberCount === 1 ? "1 member" : `${memberCount} members`}</h3>
      <ul class="members" aria-label="Members">
        {members.value.map((member) => (
          <li key={member.userId}>
            <Avatar id={member.userId} people={model.people} />
            <span class="name" title={member.userId}>
              {model.people.nameOf(member.userId)}
              {member.userId === model.userId && " (you)"}
            </span>
            {member.role === "owner" && <span class="role">Owner</span>}
            {role === "owner" && member.userId !== model.userId && (
              <Powers member={member} chatId={chatId} model={model} change={change} />
            )}
          </li>
        ))}
      </ul>
      {next.value !== undefined && (
        <button type="button" class="quiet" onClick={() => fetchPage(next.value)}>
          Show more members
        </button>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
    </>
  );
}

/** What an owner can do with another member. */
function Powers(props: { member: Member; chatId: string; model: Model; change: Change }) {
  const { member, chatId, model, change } = props;
  const { userId } = member;
  // The only two roles: the button gives the other one.
  const other = member.role === "owner" ? "member" : "owner";
  return (
    <span class="powers">
      <button
        type="button"
        class="plain"
        aria-label={other === "owner" ? `Make ${userId} an owner` : `${userId} is no owner any more`}
        onClick={() => change(() => model.groups.setRole(chatId, userId, other))}
      >
        {other === "owner" ? "Make owner" : "No owner"}
      </button>
      <button
        type="button"
        class="plain danger"
        aria-label={`Remove ${userId}`}
        onClick={() => change(() => model.groups.remove(chatId, [userId]))}
      >
        Remove
      </button>
    </span>
  );
}
