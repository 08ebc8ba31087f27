import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Model } from "../model.ts";

/**
 * Reads new messages out to those who listen to the page: the open chat's text, of other chats only who wrote.
 * `polite`: it waits until what is being read has ended.
 */
export function Announcer({ model, openId }: { model: Model; openId: ReadonlySignal<string> }) {
  const text = useSignal("");
  useEffect(
    () =>
      model.onArrival((line, chatId) => {
        const isOpen = chatId === openId.peek();
        const sender = model.people.nameOf(line.sender);
        if (line.isChange) text.value = isOpen ? (line.text ?? "") : "";
        else
          text.value = isOpen
            ? `${sender}: ${line.text ?? "a message that this page cannot show"}`
            : `New message from ${sender}`;
      }),
    [model, openId],
  );
  return (
    <div class="for-listeners" aria-live="polite">
      {text}
    </div>
  );
}
