import { useSignal } from "@preact/signals";
import type { Conversation, Model } from "../model.ts";
import { changeProblem } from "../parts/change-problem.ts";

/**
 * Why there is no field to write in, and what one can do about it. It takes the Composer's place; a draft stays for the
 * day when one can write again.
 */
export function ClosedFoot({ model, conversation }: { model: Model; conversation: Conversation }) {
  const problem = useSignal("");
  const userId = conversation.title.value;
  if (conversation.about.value.hasLeft) {
    return (
      <p class="composer closed">You are no longer a member of this group. You can read what was said.</p>
    );
  }
  const unblock = () =>
    model.blocks.unblock(userId).catch((error) => {
      problem.value = changeProblem(error);
    });
  return (
    <div class="composer closed">
      <p>You have blocked {model.people.nameOf(userId)}. Neither of you can write here.</p>
      <button type="button" class="plain" onClick={unblock}>
        Unblock
      </button>
      <p class="problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
