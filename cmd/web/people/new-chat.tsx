import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { NAME_RULE, userIdOf } from "../memory/identity.ts";
import { PeopleIcon } from "../parts/icons.tsx";

/**
 * Asks for the name of the other user. Enter starts the chat, Escape leaves it; another way leads to a group. Nobody is
 * asked whether that user exists: the server knows only those who have signed in, and a message waits for the others.
 */
export function NewChat(props: {
  ownName: string;
  onStart: (userId: string) => void;
  onGroup: () => void;
  onCancel: () => void;
}) {
  const problem = useSignal("");
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => input.current?.focus(), []);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const userId = userIdOf(input.current?.value ?? "");
    if (userId === undefined) problem.value = NAME_RULE;
    // The server refuses it too; here it costs no round trip.
    else if (userId === props.ownName) problem.value = "That is you. A chat needs somebody else.";
    else props.onStart(userId);
  };

  return (
    <form
      class="new-chat"
      noValidate
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === "Escape") props.onCancel();
      }}
    >
      <label for="new-chat-name">Who do you want to write to?</label>
      <div class="line">
        <input
          ref={input}
          id="new-chat-name"
          // Above the 255 of a user_id, so that what is too long is seen as too long, and not cut to somebody else's
          // name.
          maxLength={300}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          placeholder="Their name"
          aria-describedby="new-chat-problem"
          onInput={() => {
            problem.value = "";
          }}
        />
        <button type="submit" class="primary">
          Start
        </button>
      </div>
      <p class="problem" role="alert" id="new-chat-problem">
        {problem}
      </p>
      <button type="button" class="plain" onClick={props.onGroup}>
        <PeopleIcon /> New group
      </button>
    </form>
  );
}
