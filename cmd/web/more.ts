/** What comes in a second script, when somebody asks for it or the page has nothing else to do. See later.tsx. */
export { ChatPanel } from "./people/chat-panel.tsx";
export { ClosedFoot } from "./people/closed-foot.tsx";
export { NewChat } from "./people/new-chat.tsx";
export { NewGroup } from "./people/new-group.tsx";
export { SettingsMenu } from "./settings/settings-menu.tsx";
