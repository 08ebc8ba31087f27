import type { Conversation, Model } from "../model.ts";
import { BlockPanel } from "./block-panel.tsx";
import { GroupPanel } from "./group-panel.tsx";

/**
 * About the open chat: the group and its members, or the other user. Of the second script, since most chats are read
 * without it.
 */
export function ChatPanel(props: { model: Model; conversation: Conversation; onLeft: () => void }) {
  const { model, conversation, onLeft } = props;
  const { isGroup } = conversation.about.value;
  return (
    <section class="panel" aria-label={isGroup ? "About this group" : "About this chat"}>
      {isGroup ? (
        <GroupPanel model={model} conversation={conversation} onLeft={onLeft} />
      ) : (
        <BlockPanel model={model} conversation={conversation} />
      )}
    </section>
  );
}
