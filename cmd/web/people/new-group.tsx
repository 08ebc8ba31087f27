import { useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Model } from "../model.ts";
import { changeProblem } from "../parts/change-problem.ts";
import { PeopleChoice, PeopleField } from "./people-field.tsx";

/**
 * Asks for the name of a new group and who is in it. Escape leaves it. `onMade` gets the thread of the group; a group
 * of nobody else may be made, and filled later.
 */
export function NewGroup(props: { model: Model; onMade: (threadId: string) => void; onCancel: () => void }) {
  const { model } = props;
  const name = useSignal("");
  const choice = useMemo(
    () => new PeopleChoice((userId) => (userId === model.userId ? "You are in it anyway." : "")),
    [model],
  );
  const problem = useSignal("");
  const isBusy = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const known = useComputed(() => model.chats.value.flatMap((chat) => (chat.isDirect ? [chat.title] : [])));
  useLayoutEffect(() => field.current?.focus(), []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    // Names still in the field count; one that is wrong is told beside it.
    if (isBusy.value || !choice.takeNames()) return;
    if (name.value.trim() === "") {
      problem.value = "A group needs a name.";
      field.current?.focus();
      return;
    }
    isBusy.value = true;
    problem.value = "";
    try {
      props.onMade((await model.groups.create(name.value.trim(), choice.people.value)).threadId);
    } catch (error) {
      // The client found no certain outcome in 30 s: asked again, it finds the group that may have been made.
      problem.value = changeProblem(error);
    }
    // The form is gone if the group was made; else one can try again.
    isBusy.value = false;
  };

  return (
    <form
      class="new-chat new-group"
      aria-label="New group"
      noValidate
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === "Escape") props.onCancel();
      }}
    >
      <label>
        Name of the group
        <input
          ref={field}
          maxLength={100}
          autocomplete="off"
          value={name.value}
          onInput={(event) => {
            name.value = event.currentTarget.value;
            problem.value = "";
          }}
        />
      </label>
      <PeopleField label="Who is in it, besides you?" choice={choice} known={known} />
      <p class="problem" role="alert">
        {problem}
      </p>
      <div class="line">
        <button type="submit" class="primary" aria-disabled={isBusy.value} aria-busy={isBusy.value}>
          Make the group
        </button>
        <button type="button" class="quiet" onClick={props.onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
