import { useComputed, useSignal } from "@preact/signals";
import type { Member } from "../../client/index.ts";
import { changeProblem } from "./change-problem.ts";
import { MemberList } from "./member-list.tsx";
import type { Conversation, Model } from "./model.ts";
import { PeopleField } from "./people-field.tsx";

interface PanelProps {
  readonly model: Model;
  readonly conversation: Conversation;
}

/** Carries out one change at a time. */
export type Change = (work: () => Promise<unknown>) => Promise<boolean>;

/** A group: its name, its members, who may be added, and the way out. */
export function GroupPanel({ model, conversation }: PanelProps) {
  const problem = useSignal("");
  const isBusy = useSignal(false);
  const members = useSignal<readonly Member[]>([]);
  const change: Change = async (work) => {
    if (isBusy.value) return false;
    isBusy.value = true;
    problem.value = "";
    try {
      await work();
      return true;
    } catch (error) {
      problem.value = changeProblem(error);
      return false;
    } finally {
      isBusy.value = false;
    }
  };
  const { hasLeft } = conversation.about.value;
  if (hasLeft) return <p class="note">You are no longer a member of this group.</p>;
  return (
    <div aria-busy={isBusy.value}>
      <p class="problem" role="alert">
        {problem}
      </p>
      <Rename model={model} conversation={conversation} change={change} />
      <Add model={model} conversation={conversation} change={change} members={members.value} />
      <MemberList model={model} conversation={conversation} change={change} members={members} />
      <Leave model={model} conversation={conversation} change={change} />
    </div>
  );
}

type PartProps = PanelProps & { readonly change: Change };

function Rename({ model, conversation, change }: PartProps) {
  const typed = useSignal(conversation.title.value);
  const isSame = typed.value.trim() === conversation.title.value || typed.value.trim() === "";
  return (
    <form
      class="line"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isSame) void change(() => model.groups.rename(conversation.chatId, typed.value.trim()));
      }}
    >
      <label>
        Name of the group
        <input
          maxLength={100}
          autocomplete="off"
          value={typed.value}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
          }}
        />
      </label>
      <button type="submit" class="plain" aria-disabled={isSame}>
        Rename
      </button>
    </form>
  );
}

function Add({ model, conversation, change, members }: PartProps & { readonly members: readonly Member[] }) {
  const people = useSignal<readonly string[]>([]);
  const known = useComputed(() => model.chats.value.flatMap((chat) => (chat.isDirect ? [chat.title] : [])));
  const isIn = (userId: string) => members.some((member) => member.userId === userId);
  return (
    <form
      onSubmit={async (event) => {
        event.preventDefault();
        const added = people.value;
        if (added.length === 0) return;
        if (await change(() => model.groups.add(conversation.chatId, added))) people.value = [];
      }}
    >
      <PeopleField
        label="Add people"
        people={people}
        known={known}
        refuse={(userId) => (isIn(userId) ? `${userId} is in the group.` : "")}
      />
      {people.value.length > 0 && (
        <button type="submit" class="primary">
          Add {people.value.length === 1 ? people.value[0] : `${people.value.length} people`}
        </button>
      )}
    </form>
  );
}

function Leave({ model, conversation, change }: PartProps) {
  const isAsking = useSignal(false);
  if (!isAsking.value) {
    return (
      <button type="button" class="plain danger" onClick={() => (isAsking.value = true)}>
        Leave the group
      </button>
    );
  }
  return (
    <div class="line">
      <p class="note">What was said until now stays with you; nothing new will come.</p>
      <button
        type="button"
        class="plain danger"
        onClick={() => void change(() => model.groups.leave(conversation.chatId))}
      >
        Leave
      </button>
      <button type="button" class="plain" onClick={() => (isAsking.value = false)}>
        Stay
      </button>
    </div>
  );
}
