import { BlockPanel } from "./block-panel.tsx";
import { GroupPanel } from "./group-panel.tsx";
import type { Conversation, Model } from "./model.ts";

/** About the open chat: the group and its members, or the other user. Escape closes it. */
export function ChatPanel(props: { model: Model; conversation: Conversation; onClose: () => void }) {
  const { model, conversation, onClose } = props;
  const { isGroup } = conversation.about.value;
  return (
    <section
      class="panel"
      aria-label={isGroup ? "About this group" : "About this chat"}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      {isGroup ? (
        <GroupPanel model={model} conversation={conversation} onClose={onClose} />
      ) : (
        <BlockPanel model={model} conversation={conversation} />
      )}
    </section>
  );
}
