/** What comes in a second script, when somebody asks for it or the page has nothing else to do. See later.tsx. */
export { ChatPanel } from "./chat-panel.tsx";
export { ClosedFoot } from "./closed-foot.tsx";
export { NewChat } from "./new-chat.tsx";
export { NewGroup } from "./new-group.tsx";
export { SettingsMenu } from "./settings-menu.tsx";
