import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Later, type More } from "../later.tsx";
import type { Drafts } from "../memory/drafts.ts";
import type { Model } from "../model.ts";
import { Avatar } from "../parts/avatar.tsx";
import { BackIcon, BellIcon, BellOffIcon, DotsIcon, PeopleIcon } from "../parts/icons.tsx";
import { PresenceLine } from "../parts/presence.tsx";
import { Composer } from "./composer.tsx";
import { MessageList } from "./message-list.tsx";

/** Parts that come with the second script. Functions of the module, so that each drawing picks the same. */
const chatPanel = (more: More) => more.ChatPanel;
const closedFoot = (more: More) => more.ClosedFoot;

/** One chat: its name, its messages, and the field to write in. Escape leads back to the list. */
export function ConversationPane(props: {
  model: Model;
  chatId: string;
  /** The name, if the address has it; else the conversation knows. */
  title: string;
  attention: ReadonlySignal<boolean>;
  drafts: Drafts;
  onClose: () => void;
}) {
  const { model, chatId, attention, drafts, onClose } = props;
  const conversation = useMemo(() => model.open(chatId), [model, chatId]);
  // A conversation holds listeners of the client: one that is not closed would be fed for ever.
  useEffect(() => () => conversation.close(), [conversation]);
  // The address knows a user's id before the server has told anything.
  const title = props.title || conversation.title.value;
  const about = conversation.about.value;
  const isPanelOpen = useSignal(false);
  const panelButton = useRef<HTMLButtonElement>(null);
  const panelName = about.isGroup ? "About this group" : "About this chat";
  // The focus goes back to where it came from: who uses keys would else be at the top of the page.
  const closePanel = () => {
    isPanelOpen.value = false;
    panelButton.current?.focus();
  };

  return (
    <main
      class="conversation"
      aria-label={`Chat with ${title}`}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        // One step back at a time: the panel, then the chat.
        if (isPanelOpen.value) closePanel();
        else onClose();
      }}
    >
      <header>
        <button type="button" class="icon back" aria-label="Back to the list" onClick={onClose}>
          <BackIcon />
        </button>
        <Avatar id={title} people={about.isGroup ? undefined : model.people} />
        <div class="who">
          <h2 title={title}>{about.isGroup ? title : model.people.nameOf(title)}</h2>
          <PresenceLine people={model.people} chatId={chatId} title={title} about={about} />
        </div>
        <MuteButton model={model} chatId={chatId} />
        {/* Before it is known there is nothing to say: a group would be shown as a user for a moment. */}
        {about.isKnown && (
          <button
            ref={panelButton}
            type="button"
            class="icon"
            aria-label={panelName}
            title={panelName}
            aria-expanded={isPanelOpen.value}
            onClick={() => {
              isPanelOpen.value = !isPanelOpen.value;
            }}
          >
            {about.isGroup ? <PeopleIcon /> : <DotsIcon />}
          </button>
        )}
      </header>
      {isPanelOpen.value && <Later pick={chatPanel} props={{ model, conversation, onLeft: closePanel }} />}
      {about.isDamaged && (
        <p class="note" role="status">
          A part of this chat is lost on the server.
        </p>
      )}
      <MessageList conversation={conversation} attention={attention} title={title} people={model.people} />
      {about.hasLeft || about.isBlocked ? (
        <Later pick={closedFoot} props={{ model, conversation }} />
      ) : (
        title !== "" && <Composer conversation={conversation} drafts={drafts} title={title} />
      )}
    </main>
  );
}

/**
 * Muting is about notifications, which the server sends for messages in chats that exist: there is no button for one
 * that has no row yet. It is pressed as the server has it, also from another device.
 */
function MuteButton({ model, chatId }: { model: Model; chatId: string }) {
  const problem = useSignal("");
  const isBusy = useSignal(false);
  const chat = useComputed(() => model.chats.value.find((found) => found.id === chatId));
  if (!chat.value) return null;
  const { isMuted } = chat.value;
  const toggle = async () => {
    // The button is not `disabled` while it works: that would take the focus from it.
    if (isBusy.value) return;
    isBusy.value = true;
    problem.value = "";
    await model.setMuted(chatId, !isMuted).catch(() => {
      problem.value = isMuted ? "Could not unmute" : "Could not mute";
    });
    isBusy.value = false;
  };
  return (
    <>
      <span class="problem" role="alert">
        {problem}
      </span>
      <button
        type="button"
        class="icon"
        aria-label="Mute"
        aria-pressed={isMuted}
        aria-busy={isBusy.value}
        aria-disabled={isBusy.value}
        title={isMuted ? "Muted: no notifications. Click to unmute" : "Mute"}
        onClick={toggle}
      >
        {isMuted ? <BellOffIcon /> : <BellIcon />}
      </button>
    </>
  );
}
