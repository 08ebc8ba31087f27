import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Member } from "../../../client/index.ts";
import type { Conversation, Model } from "../model.ts";
import { type Change, changeProblem } from "../parts/change-problem.ts";
import { MemberList } from "./member-list.tsx";
import { PeopleChoice, PeopleField } from "./people-field.tsx";

interface PanelProps {
  readonly model: Model;
  readonly conversation: Conversation;
}

/**
 * A group: its name, its members, who may be added, and the way out. `onLeft`: closes the panel, and the focus goes
 * back to the button that opened it.
 */
export function GroupPanel({ model, conversation, onLeft }: PanelProps & { readonly onLeft: () => void }) {
  const problem = useSignal("");
  const isBusy = useSignal(false);
  const members = useSignal<readonly Member[]>([]);
  // One at a time: the second would be decided on a group that is about to be another.
  const change: Change = async (work) => {
    if (isBusy.value) return false;
    isBusy.value = true;
    problem.value = "";
    try {
      await work();
      return true;
    } catch (error) {
      problem.value = changeProblem(error);
      // What was typed stays, so that one can try again.
      return false;
    } finally {
      isBusy.value = false;
    }
  };
  const { hasLeft } = conversation.about.value;
  // One who was removed while the panel is open.
  if (hasLeft) return <p class="note">You are no longer a member of this group.</p>;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset that is disabled would lose the focus
    <div role="group" aria-busy={isBusy.value} aria-disabled={isBusy.value}>
      <p class="problem" role="alert">
        {problem}
      </p>
      <Rename model={model} conversation={conversation} change={change} />
      <Add model={model} conversation={conversation} change={change} members={members} />
      <MemberList model={model} conversation={conversation} change={change} members={members} />
      <Leave model={model} conversation={conversation} change={change} onLeft={onLeft} />
    </div>
  );
}

/** The members that the list has fetched so far, which is not always all. */
type Members = ReadonlySignal<readonly Member[]>;
type PartProps = PanelProps & { readonly change: Change };

/** The name, which any member may change. */
function Rename({ model, conversation, change }: PartProps) {
  const typed = useSignal(conversation.title.value);
  const isSame = typed.value.trim() === conversation.title.value || typed.value.trim() === "";
  return (
    <form
      class="line"
      onSubmit={(event) => {
        event.preventDefault();
        // The name that was typed stays in the field; the title above shows what the server has.
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

/** Who comes in. Those who are members already are not offered; the server decides. */
function Add({ model, conversation, change, members }: PartProps & { readonly members: Members }) {
  // One choice for as long as the panel is open: what is chosen outlives each drawing.
  const choice = useMemo(() => {
    const isIn = (userId: string) => members.value.some((member) => member.userId === userId);
    return new PeopleChoice((userId) => (isIn(userId) ? `${userId} is in the group.` : ""));
  }, [members]);
  const known = useComputed(() => model.chats.value.flatMap((chat) => (chat.isDirect ? [chat.title] : [])));
  const chosen = choice.people.value;
  return (
    <form
      onSubmit={async (event) => {
        event.preventDefault();
        if (!choice.takeNames() || choice.people.value.length === 0) return;
        const added = choice.people.value;
        if (await change(() => model.groups.add(conversation.chatId, added))) choice.people.value = [];
      }}
    >
      <PeopleField label="Add people" choice={choice} known={known} />
      {(chosen.length > 0 || choice.typed.value !== "") && (
        <button type="submit" class="primary">
          {chosen.length > 1 ? `Add ${chosen.length} people` : `Add ${chosen[0] ?? "them"}`}
        </button>
      )}
    </form>
  );
}

/** The way out, asked for twice: nobody can add oneself again. */
function Leave({ model, conversation, change, onLeft }: PartProps & { readonly onLeft: () => void }) {
  const isAsking = useSignal(false);
  const leave = async () => {
    if (await change(() => model.groups.leave(conversation.chatId))) onLeft();
  };
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
      <button type="button" class="plain danger" onClick={() => void leave()}>
        Leave
      </button>
      <button type="button" class="plain" onClick={() => (isAsking.value = false)}>
        Stay
      </button>
    </div>
  );
}
