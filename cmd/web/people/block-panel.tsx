import { useSignal } from "@preact/signals";
import type { Conversation, Model } from "../model.ts";
import { changeProblem } from "../parts/change-problem.ts";

/**
 * Blocks the other user of a direct chat, or takes it back. The id stands there in full: names can be alike, and it
 * matters who it is.
 */
export function BlockPanel({ model, conversation }: { model: Model; conversation: Conversation }) {
  const problem = useSignal("");
  const isBusy = useSignal(false);
  // Of a chat with one user the title is the id; the name is only what is shown.
  const userId = conversation.title.value;
  const name = model.people.nameOf(userId);
  const { isBlocked } = conversation.about.value;
  const toggle = async () => {
    if (isBusy.value) return;
    isBusy.value = true;
    problem.value = "";
    // What came of it is seen in `about`, once the server has said so; nothing is shown before.
    await model.blocks[isBlocked ? "unblock" : "block"](userId).catch((error) => {
      problem.value = changeProblem(error);
    });
    isBusy.value = false;
  };
  return (
    <div>
      <p class="note id">{userId}</p>
      <p class="note">
        {isBlocked
          ? `You have blocked ${name}. Neither of you can write here, or see whether the other is there.`
          : `Once blocked, neither of you can write here, or see whether the other is there. Groups stay as they are.`}
      </p>
      <button
        type="button"
        class={isBlocked ? "plain" : "plain danger"}
        aria-busy={isBusy.value}
        aria-disabled={isBusy.value}
        onClick={toggle}
      >
        {isBlocked ? `Unblock ${name}` : `Block ${name}`}
      </button>
      <p class="problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
