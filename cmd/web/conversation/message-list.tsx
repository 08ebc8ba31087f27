import { type ReadonlySignal, useSignal, useSignalEffect } from "@preact/signals";
import { Fragment } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Conversation, Line, People } from "../model.ts";
import { dayName, isSameDay } from "../parts/times.ts";
import { Bubble, ChangeNote } from "./bubble.tsx";
import { Older, ToEnd } from "./list-edges.tsx";
import { ScrollKeeper } from "./scroll-keeper.ts";

/** Messages of one sender closer together than this stand as one group. */
const GROUP_MS = 5 * 60_000;

/** What the list needs. */
interface ListProps {
  readonly conversation: Conversation;
  readonly attention: ReadonlySignal<boolean>;
  readonly title: string;
  readonly people: People;
}

/**
 * The messages of a chat, oldest above. Stays at the end while one is at the end, and otherwise keeps what one reads in
 * its place, whatever comes above or below. Older pages load before the upper edge is reached.
 */
export function MessageList({ conversation, attention, title, people }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useSignal(true);
  const keeper = useRef<ScrollKeeper | undefined>(undefined);
  const lines = conversation.lines.value;

  useLayoutEffect(() => {
    if (!box.current) return;
    const made = new ScrollKeeper(box.current, isAtEnd);
    keeper.current = made;
    return () => made.close();
  }, [isAtEnd]);
  // Before the browser paints: the list never jumps before one's eyes.
  useLayoutEffect(() => keeper.current?.restore(), [lines]);
  useJumpToNew(conversation, box, keeper);
  useMarkRead(conversation, attention, isAtEnd, keeper);
  useTrim(conversation, isAtEnd);

  return (
    <div class="messages">
      <div
        class="scroller"
        ref={box}
        role="log"
        // Announcer reads new messages out; else history that loads would be read too.
        aria-live="off"
        aria-label={`Messages with ${title}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: one scrolls it with the keys
        tabIndex={0}
      >
        <div class="content">
          <Older conversation={conversation} box={box} />
          <Lines conversation={conversation} lines={lines} people={people} />
        </div>
      </div>
      <ToEnd conversation={conversation} isAtEnd={isAtEnd} onClick={() => keeper.current?.toEnd()} />
    </div>
  );
}

/** The lines with what stands between them: days, absences, where new messages begin. */
function Lines(props: { conversation: Conversation; lines: readonly Line[]; people: People }) {
  const { conversation, lines, people } = props;
  const now = Date.now();
  const firstNew = firstNewLine(conversation, lines);
  const { isGroup } = conversation.about.value;
  if (lines.length === 0 && conversation.isLoaded.value && !conversation.hasOlder.value) {
    return <p class="empty">Nothing here yet. Say hello.</p>;
  }
  // If it cannot be done, the line stays as it is, with both buttons.
  const retry = (line: Line) => void conversation.retry(line).catch(() => undefined);
  const discard = (line: Line) => void conversation.discard(line).catch(() => undefined);
  return (
    <>
      {lines.map((line, at) => {
        const before = lines[at - 1];
        const isNewDay = !before || !isSameDay(before.createdAtMs, line.createdAtMs);
        return (
          <Fragment key={line.key}>
            {line.gap && <h3 class="day">{line.gap}</h3>}
            {isNewDay && <h3 class="day">{dayName(line.createdAtMs, now)}</h3>}
            {line === firstNew && <h3 class="new">New messages</h3>}
            {line.isChange ? (
              <ChangeNote line={line} />
            ) : (
              <Bubble
                line={line}
                sender={people.nameOf(line.sender)}
                isFollowing={!isNewDay && line !== firstNew && belongsTo(before, line)}
                isNamed={isGroup}
                onRetry={retry}
                onDiscard={discard}
              />
            )}
          </Fragment>
        );
      })}
    </>
  );
}

/** The first message of others beyond the read position at which the chat was opened. */
function firstNewLine(conversation: Conversation, lines: readonly Line[]): Line | undefined {
  const { readSeqAtOpen: from, headSeqAtOpen: to } = conversation;
  return lines.find(
    ({ seq, isOwn, isChange }) => seq !== undefined && seq > from && seq <= to && !isOwn && !isChange,
  );
}

/** Whether a line stands close below the one before, without a name of its own. */
function belongsTo(before: Line | undefined, line: Line): boolean {
  return (
    before?.sender === line.sender && !before.isChange && line.createdAtMs - before.createdAtMs < GROUP_MS
  );
}

/** Opens the chat at the first new message, if that is above what fits on the screen. */
function useJumpToNew(
  conversation: Conversation,
  box: { current: HTMLDivElement | null },
  keeper: { current: ScrollKeeper | undefined },
): void {
  const isDone = useRef(false);
  useLayoutEffect(() => {
    if (isDone.current || !conversation.isLoaded.value) return;
    // Once: from then on the person says where the list stands.
    isDone.current = true;
    const mark = box.current?.querySelector<HTMLElement>("h3.new");
    if (mark) keeper.current?.toTop(Math.max(0, mark.offsetTop - 80));
  });
}

/** One who comes back to the end after a long look back sees the newest page only. */
function useTrim(conversation: Conversation, isAtEnd: ReadonlySignal<boolean>): void {
  const wasAway = useRef(false);
  useSignalEffect(() => {
    if (isAtEnd.value && wasAway.current) conversation.trim();
    wasAway.current = !isAtEnd.value;
  });
}

/** What was on the screen while somebody looked is read. */
function useMarkRead(
  conversation: Conversation,
  attention: ReadonlySignal<boolean>,
  isAtEnd: ReadonlySignal<boolean>,
  keeper: { current: ScrollKeeper | undefined },
): void {
  useEffect(() => {
    const mark = () => {
      if (!attention.value || !conversation.isLoaded.value) return;
      const seq = keeper.current?.lastSeenSeq() ?? 0;
      if (seq > 0) conversation.markRead(seq);
    };
    return keeper.current?.onLook(mark);
  }, [conversation, attention, keeper]);
  useSignalEffect(() => {
    const isDue = attention.value && conversation.isLoaded.value && conversation.lines.value.length > 0;
    void isAtEnd.value;
    // After the browser has laid it out: only then is known what is in sight.
    if (isDue) requestAnimationFrame(() => keeper.current?.look());
  });
}
