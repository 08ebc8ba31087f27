import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Conversation } from "../model.ts";
import { DownIcon } from "../parts/icons.tsx";

/**
 * The upper edge: loads the page above when one comes near, and says so if it cannot. Whether it is near is asked anew
 * for each list that was drawn: browsers tell it a frame or more later, and an answer about the list before, which may
 * have been at its upper edge while this one is at its end, is no reason to load.
 */
export function Older({
  conversation,
  box,
}: {
  conversation: Conversation;
  box: { current: HTMLDivElement | null };
}) {
  const edge = useRef<HTMLDivElement>(null);
  const hasFailed = useSignal(false);
  const isBusy = useSignal(false);
  const lines = conversation.lines.value;
  const load = async () => {
    // The edge may come near again while a page is on its way.
    if (isBusy.value) return;
    isBusy.value = true;
    hasFailed.value = false;
    await conversation.loadOlder().catch(() => {
      hasFailed.value = true;
    });
    isBusy.value = false;
  };
  useEffect(() => {
    if (!edge.current || !conversation.hasOlder.value || !conversation.isLoaded.value) return;
    // So far above that the page is mostly there when one reaches it.
    const options = { root: box.current, rootMargin: "600px 0px 0px 0px" };
    const observer = new IntersectionObserver((changes) => {
      const isNear = changes.at(-1)?.isIntersecting && conversation.lines.value === lines;
      if (isNear && !hasFailed.value) void load();
    }, options);
    observer.observe(edge.current);
    return () => observer.disconnect();
  }, [box, conversation, lines]);
  return (
    <div class="older" ref={edge}>
      {isBusy.value && <p role="status">Loading older messages…</p>}
      {hasFailed.value && (
        <button type="button" class="quiet" onClick={load}>
          Older messages could not be loaded. Try again
        </button>
      )}
    </div>
  );
}

/** Appears when one has scrolled up, and counts what came in below since. */
export function ToEnd(props: {
  conversation: Conversation;
  isAtEnd: ReadonlySignal<boolean>;
  onClick: () => void;
}) {
  /** The newest seq that was there when one was last at the end. */
  const seen = useSignal(0);
  const last = useComputed(() => props.conversation.lines.value.findLast((line) => line.seq)?.seq ?? 0);
  useSignalEffect(() => {
    if (props.isAtEnd.value) seen.value = last.value;
  });
  if (props.isAtEnd.value) return null;
  const count = props.conversation.lines.value.filter(
    (line) => !line.isOwn && !line.isChange && line.seq !== undefined && line.seq > seen.value,
  ).length;
  return (
    <button type="button" class="to-end" aria-label="To the newest message" onClick={props.onClick}>
      <DownIcon />
      {count > 0 && <span class="count">{count}</span>}
    </button>
  );
}
