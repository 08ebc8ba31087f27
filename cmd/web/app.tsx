import type { ReadonlySignal } from "@preact/signals";
import { lastName } from "./memory/identity.ts";
import type { Page } from "./page.ts";
import type { Router } from "./route.ts";
import { ChatScreen } from "./screens/chat-screen.tsx";
import { SignIn, TabsFull, Unable } from "./screens/entrance.tsx";

/**
 * One screen for each stage of the page. It reads the stage's signal and so is drawn anew when that changes.
 * `attention`: whether somebody is looking.
 */
export function App(props: { page: Page; router: Router; attention: ReadonlySignal<boolean> }) {
  const { page, router, attention } = props;
  const stage = page.stage.value;
  switch (stage.kind) {
    case "opening":
      return <main class="entrance" aria-busy="true" />;
    case "sign-in":
      return (
        <SignIn
          notice={stage.notice}
          lastName={lastName(page.memory.browser)}
          onSignIn={(identity) => page.signIn(identity)}
        />
      );
    case "full":
      return <TabsFull onSignOut={() => page.signOut()} />;
    case "unable":
      return <Unable problem={stage.problem} onSignOut={() => page.signOut()} />;
    case "chat":
      return (
        <ChatScreen
          model={stage.model}
          router={router}
          attention={attention}
          // Drafts outlive the tab.
          notes={page.memory.browser}
          onSignOut={(notice) => page.signOut(notice)}
        />
      );
  }
}
