import { type ReadonlySignal, type Signal, useComputed, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Later, type More } from "../later.tsx";
import type { Drafts } from "../memory/drafts.ts";
import type { Chat, Model, People } from "../model.ts";
import { Avatar } from "../parts/avatar.tsx";
import { BellOffIcon, BlockedIcon, LeaveIcon, PenIcon, SettingsIcon, TickMark } from "../parts/icons.tsx";
import { PresenceMark, typingText, useInSight } from "../parts/presence.tsx";
import { fullTime, shortTime } from "../parts/times.ts";

/** Parts that come with the second script. */
const settingsMenu = (more: More) => more.SettingsMenu;
const newChat = (more: More) => more.NewChat;
const newGroup = (more: More) => more.NewGroup;

/** What the list shows, and where a click leads. */
interface ListProps {
  readonly model: Model;
  readonly openId: ReadonlySignal<string>;
  readonly drafts: Drafts;
  readonly onOpen: (chat: Chat) => void;
  readonly onOpenWith: (userId: string) => void;
  readonly onOpenGroup: (threadId: string) => void;
  /** With what the sign-in screen says then. */
  readonly onSignOut: (notice: string) => void;
}

/**
 * All chats, the most recent first. Arrow keys, Home and End go through them, Enter opens one. It stays drawn beside an
 * open chat, and where there is no room for both the style sheet hides one.
 */
export function ThreadList(props: ListProps) {
  const isStarting = useSignal(false);
  const isMenuOpen = useSignal(false);
  const { model } = props;
  return (
    <nav class="threads" aria-label="Chats">
      <header>
        <Avatar id={model.userId} people={model.people} />
        <h1 class="me" title={model.userId}>
          {model.people.nameOf(model.userId)}
        </h1>
        <button
          type="button"
          id="new-chat"
          class="icon"
          aria-label="New chat"
          title="New chat"
          aria-expanded={isStarting.value}
          onClick={() => {
            isStarting.value = !isStarting.value;
          }}
        >
          <PenIcon />
        </button>
        <button
          type="button"
          class="icon"
          aria-label="Settings"
          title="Settings"
          aria-expanded={isMenuOpen.value}
          onClick={() => {
            isMenuOpen.value = !isMenuOpen.value;
          }}
        >
          <SettingsIcon />
        </button>
        <button
          type="button"
          class="icon"
          aria-label="Sign out"
          title="Sign out"
          onClick={() => props.onSignOut("")}
        >
          <LeaveIcon />
        </button>
      </header>
      {isMenuOpen.value && <Later pick={settingsMenu} props={{ model, onSignOut: props.onSignOut }} />}
      {/* Above the rows, so that the list keeps its place in the tab order behind it. */}
      {isStarting.value && <StartForm {...props} isStarting={isStarting} />}
      <Rows {...props} isStarting={isStarting} />
    </nav>
  );
}

/** The form for a new chat, and the way from it to a new group. Escape and Cancel give the focus back to the button. */
function StartForm(props: ListProps & { readonly isStarting: Signal<boolean> }) {
  const { isStarting, model } = props;
  const isGroup = useSignal(false);
  const cancel = () => {
    isStarting.value = false;
    document.getElementById("new-chat")?.focus();
  };
  const made = (threadId: string) => {
    isStarting.value = false;
    props.onOpenGroup(threadId);
  };
  if (isGroup.value) {
    return <Later key="group" pick={newGroup} props={{ model, onMade: made, onCancel: cancel }} />;
  }
  const start = (userId: string) => {
    isStarting.value = false;
    props.onOpenWith(userId);
  };
  // The form for a group takes this one's place, with the same way back.
  const group = () => {
    isGroup.value = true;
  };
  const chat = { ownName: model.userId, onStart: start, onGroup: group, onCancel: cancel };
  return <Later key="chat" pick={newChat} props={chat} />;
}

/** The chats as a list of buttons. */
function Rows(props: ListProps & { readonly isStarting: Signal<boolean> }) {
  const { model, openId, drafts, onOpen, isStarting } = props;
  const list = useRef<HTMLUListElement>(null);
  /** The chat whose row was focused last; "" before the first. */
  const focused = useSignal("");
  const chats = model.chats.value;
  // Only rows in sight are watched for presence: a client may watch 100 users.
  useInSight(list, chats.map((chat) => chat.id).join(), model.people);
  // One row is in the tab order: the one last focused, else the open one, else the first.
  const reachable = useComputed(() => {
    const ids = model.chats.value.map((chat) => chat.id);
    return [focused.value, openId.value].find((id) => ids.includes(id)) ?? ids[0] ?? "";
  });
  if (chats.length === 0) {
    // Nothing is known yet, or one is about to start the first: "No chats yet" would be wrong.
    if (!model.isListed.value || isStarting.value) return <div class="no-chats" />;
    return (
      <div class="no-chats">
        <p>No chats yet.</p>
        <button type="button" class="primary" onClick={() => (isStarting.value = true)}>
          Start the first one
        </button>
      </div>
    );
  }
  return (
    <ul ref={list} onKeyDown={(event) => moveFocus(event, list.current)}>
      {chats.map((chat) => (
        <li key={chat.id} data-user={chat.isDirect ? chat.title : ""}>
          <button
            type="button"
            id={`chat-${chat.id}`}
            class="row"
            tabIndex={chat.id === reachable.value ? 0 : -1}
            aria-current={chat.id === openId.value ? "true" : undefined}
            onFocus={() => {
              focused.value = chat.id;
            }}
            onClick={() => onOpen(chat)}
          >
            <Row
              people={model.people}
              chat={chat}
              // The open chat's draft is in its field.
              draft={chat.id === openId.value ? "" : drafts.draftOf(chat.id)}
            />
          </button>
        </li>
      ))}
    </ul>
  );
}

/** What a row shows. */
interface RowProps {
  readonly people: People;
  readonly chat: Chat;
  readonly draft: string;
}

/** One chat: who, when, what was said last, and what is to be known. */
function Row({ people, chat, draft }: RowProps) {
  return (
    <>
      <Avatar id={chat.title} people={chat.isDirect ? people : undefined} size="large" />
      {chat.isDirect && <PresenceMark people={people} userId={chat.title} />}
      <span class="name">{chat.isDirect ? people.nameOf(chat.title) : chat.title}</span>
      <time dateTime={new Date(chat.updatedAtMs).toISOString()} title={fullTime(chat.updatedAtMs)}>
        {shortTime(chat.updatedAtMs, Date.now())}
      </time>
      <Preview people={people} chat={chat} draft={draft} />
      <span class="marks">
        {chat.isBlocked && (
          <span class="muted" role="img" aria-label="Blocked" title="Blocked">
            <BlockedIcon />
          </span>
        )}
        {chat.isDamaged && <span class="muted">Damaged</span>}
        {chat.isMuted && (
          <span class="muted" role="img" aria-label="Muted" title="Muted">
            <BellOffIcon size={16} />
          </span>
        )}
        {chat.unread > 0 && (
          <span class={chat.isMuted ? "count is-muted" : "count"}>
            {chat.unread > 999 ? "999+" : chat.unread}
            <span class="for-listeners"> unread</span>
          </span>
        )}
      </span>
    </>
  );
}

/** The second line of a row: who is typing, else what one has begun to write, else the newest message. */
function Preview({ people, chat, draft }: RowProps) {
  const typing = typingText(people.typistsIn(chat.id), chat.title, people);
  // Before the draft: it is over in seconds.
  if (typing) return <span class="preview typing">{typing}</span>;
  if (draft.trim() !== "") {
    return (
      <span class="preview">
        <em>Draft:</em> <span class="text">{draft}</span>
      </span>
    );
  }
  const { last } = chat;
  // In a chat with one other user there is nobody else it could be.
  const isNamed = last && !chat.isDirect && !last.isOwn && !last.isChange;
  return (
    <span class="preview">
      {last?.tick && <TickMark tick={last.tick} />}
      <span class="text">
        {isNamed && `${people.nameOf(last.sender)}: `}
        {last ? (last.text ?? "A message this page cannot show") : ""}
      </span>
    </span>
  );
}

/** Arrow keys, Home and End, as in a list box. Other keys go their way. */
function moveFocus(event: KeyboardEvent, list: HTMLUListElement | null): void {
  const rows = [...(list?.querySelectorAll<HTMLButtonElement>("button.row") ?? [])];
  const at = rows.indexOf(document.activeElement as HTMLButtonElement);
  const targets: Record<string, number> = {
    ArrowDown: Math.min(at + 1, rows.length - 1),
    ArrowUp: Math.max(at - 1, 0),
    Home: 0,
    End: rows.length - 1,
  };
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  rows[target]?.focus();
}
