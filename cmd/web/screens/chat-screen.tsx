import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { ConversationPane } from "../conversation/conversation-pane.tsx";
import { fetchMore } from "../later.tsx";
import { Drafts } from "../memory/drafts.ts";
import type { NoteStore } from "../memory/notes.ts";
import type { Chat, Model } from "../model.ts";
import { Mark } from "../parts/icons.tsx";
import type { Route, Router } from "../route.ts";
import { Announcer } from "./announcer.tsx";
import { Banner } from "./banner.tsx";
import { ThreadList } from "./thread-list.tsx";

/** List and conversation: side by side where there is room, else one at a time. */
export function ChatScreen(props: {
  model: Model;
  router: Router;
  attention: ReadonlySignal<boolean>;
  notes: NoteStore;
  onSignOut: (notice: string) => void;
}) {
  const { model, router, attention, notes } = props;
  // Of this user alone: another one who signs in here has others.
  const drafts = useMemo(() => new Drafts(notes, model.userId), [notes, model]);
  const openId = useOpenChat(model, router);
  const openTitle = useComputed(() => titleOf(router.route.value));
  useTitle(model);
  useRestOfPage(model);
  useFocusOnReturn(openId);

  const open = (chat: Chat) => router.go(routeTo(chat));
  const openWith = (userId: string) => router.go({ kind: "with", userId });
  const openGroup = (threadId: string) => router.go({ kind: "thread", threadId });

  return (
    <div class={`screen ${openId.value ? "has-open" : ""}`}>
      <Banner model={model} onSignIn={props.onSignOut} />
      <ThreadList
        model={model}
        openId={openId}
        drafts={drafts}
        onOpen={open}
        onOpenWith={openWith}
        onOpenGroup={openGroup}
        onSignOut={props.onSignOut}
      />
      {openId.value ? (
        <ConversationPane
          // Another chat is another pane: nothing of the one before, such as a draft or a scroll position, is left in
          // it.
          key={openId.value}
          model={model}
          chatId={openId.value}
          title={openTitle.value}
          attention={attention}
          drafts={drafts}
          onClose={() => router.go({ kind: "list" })}
        />
      ) : (
        <main class="nothing-open">
          <Mark size={56} />
          <p>Choose a chat, or start a new one.</p>
        </main>
      )}
      <Announcer model={model} openId={openId} />
    </div>
  );
}

/** The id of the chat that the address names, or "". */
function useOpenChat(model: Model, router: Router): ReadonlySignal<string> {
  const id = useSignal("");
  useSignalEffect(() => {
    const route = router.route.value;
    if (route.kind === "list") id.value = "";
    else if (route.kind === "thread") id.value = route.threadId;
    // An address with one's own name, such as a bookmark of another user: there is no such chat.
    else if (route.userId === model.userId) router.go({ kind: "list" });
    else {
      void model.idOf(route.userId).then((found) => {
        // Another chat may have been chosen meanwhile.
        if (router.route.value === route) id.value = found;
      });
    }
  });
  return id;
}

/** The rest of the page comes when the list is there, so that it is at hand when it is asked for, offline too. */
function useRestOfPage(model: Model): void {
  useSignalEffect(() => {
    if (model.isListed.value) fetchMore().catch(() => undefined);
  });
}

/** One who leaves a chat comes back to its row, once the list is what one sees. */
function useFocusOnReturn(openId: ReadonlySignal<string>): void {
  const last = useRef("");
  const id = openId.value;
  useLayoutEffect(() => {
    if (!id) document.getElementById(`chat-${last.current}`)?.focus();
    last.current = id;
  }, [id]);
}

/** The number of unread messages, muted chats left out, stands in the tab's title. */
function useTitle(model: Model): void {
  useSignalEffect(() => {
    const unread = model.chats.value.reduce((sum, chat) => sum + (chat.isMuted ? 0 : chat.unread), 0);
    document.title = unread > 0 ? `(${unread > 99 ? "99+" : unread}) Heddle` : "Heddle";
  });
  useEffect(
    () => () => {
      document.title = "Heddle";
    },
    [],
  );
}

/** A chat with a user goes by the user's name, which a person can read in the address. */
function routeTo(chat: Chat): Route {
  return chat.isDirect ? { kind: "with", userId: chat.title } : { kind: "thread", threadId: chat.id };
}

/** The user that the address names; "" for a group, whose name only the server knows. */
function titleOf(route: Route): string {
  return route.kind === "with" ? route.userId : "";
}
