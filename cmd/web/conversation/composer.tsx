import { useComputed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Drafts } from "../memory/drafts.ts";
import type { Conversation } from "../model.ts";
import { SendIcon } from "../parts/icons.tsx";

/** What a message may have, in bytes of UTF-8 (docs/design.md, section 12). */
const MAX_BYTES = 32_768;
/** From here on the page says how much room is left. */
const WARN_BYTES = 32_000;

/** The server counts bytes, and one character has up to four. */
const encoder = new TextEncoder();

/** The field to write in. Enter sends, Shift+Enter makes a new line; the draft is kept with every key. */
export function Composer(props: { conversation: Conversation; drafts: Drafts; title: string }) {
  const { conversation, drafts, title } = props;
  const text = useSignal(drafts.draftOf(conversation.chatId));
  const problem = useSignal("");
  const field = useRef<HTMLTextAreaElement>(null);
  const bytes = useComputed(() => encoder.encode(text.value.trim()).length);
  const isReady = useComputed(() => bytes.value > 0 && bytes.value <= MAX_BYTES);
  useLayoutEffect(() => focusWhereKeysAre(field.current), []);
  useAutoHeight(field, text.value);

  /** Sent, and not safe in the outbox yet: part of the draft until they are. */
  const unsafe = useRef<string[]>([]);

  const keepDraft = () => {
    const parts = [...unsafe.current, text.value].filter((part) => part !== "");
    drafts.keepDraft(conversation.chatId, parts.join("\n"));
  };
  const write = (value: string) => {
    text.value = value;
    keepDraft();
  };
  const send = async () => {
    if (!isReady.value) return;
    const sent = text.value;
    unsafe.current.push(sent);
    // Empty at once, so that one can type on. Until the outbox has it, the draft does.
    write("");
    problem.value = "";
    try {
      await conversation.send(sent.trim());
    } catch (error) {
      // It comes back above what has been typed since.
      text.value = [sent, text.value].filter((part) => part !== "").join("\n");
      problem.value = `This could not be kept for sending. ${error instanceof Error ? error.message : ""}`;
    }
    unsafe.current.splice(unsafe.current.indexOf(sent), 1);
    keepDraft();
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
        // A click on the button took the focus away from where one writes.
        field.current?.focus();
      }}
    >
      <p class="problem" role="alert">
        {problem.value || roomText(bytes.value)}
      </p>
      <textarea
        ref={field}
        rows={1}
        value={text.value}
        aria-label={`Message to ${title}`}
        placeholder="Write a message"
        enterkeyhint="send"
        onInput={(event) => {
          write(event.currentTarget.value);
          if (isReady.value) conversation.typing();
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey) return;
          event.preventDefault();
          void send();
        }}
      />
      <button type="submit" class="send" aria-label="Send" title="Send" aria-disabled={!isReady.value}>
        <SendIcon />
      </button>
    </form>
  );
}

/** What is said of the length; "" while there is enough room. */
function roomText(bytes: number): string {
  if (bytes < WARN_BYTES) return "";
  const left = MAX_BYTES - bytes;
  const size = `${Math.abs(left)} ${left >= 0 ? "more " : ""}${Math.abs(left) === 1 ? "byte" : "bytes"}`;
  return left >= 0 ? `Room for ${size}` : `Too long by ${size}: send it in parts`;
}

/** With a finger as the pointer, focus would raise the keyboard over the messages that one came to read. */
function focusWhereKeysAre(field: HTMLTextAreaElement | null): void {
  if (matchMedia("(pointer: fine)").matches || !matchMedia("(pointer: coarse)").matches) field?.focus();
}

/** The field grows with its text; the style sheet sets the most. */
function useAutoHeight(field: { current: HTMLTextAreaElement | null }, text: string): void {
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    // First, so that scrollHeight is of the text and not of the height it had.
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight + element.offsetHeight - element.clientHeight}px`;
  }, [text]);
}
