import { type Signal, signal } from "@preact/signals";
import { USER_ID_PATTERN } from "../../internal/base/ids.ts";

/**
 * Which chat is open, kept in the address: `#/with/bob` for the chat with a user (its id percent-encoded), `#/thread/<hex>` for others, nothing
 * for the list alone. So a reload shows the same chat, and Back leads from it to the list.
 */
export type Route =
  | { readonly kind: "list" }
  | { readonly kind: "with"; readonly userId: string }
  | { readonly kind: "thread"; readonly threadId: string };

/** Anything that is no route is the list. */
export function parseRoute(hash: string): Route {
  const user = decoded(/^#\/with\/([^/]+)$/.exec(hash)?.[1] ?? "");
  if (USER_ID_PATTERN.test(user)) return { kind: "with", userId: user };
  const thread = /^#\/thread\/([0-9a-f]{32})$/.exec(hash)?.[1];
  return thread ? { kind: "thread", threadId: thread } : { kind: "list" };
}

/** "" for what is not encoded as it should be. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The fragment of the address that stands for a route; the opposite of parsing it. */
export function formatRoute(route: Route): string {
  if (route.kind === "with") return `#/with/${encodeURIComponent(route.userId)}`;
  return route.kind === "thread" ? `#/thread/${route.threadId}` : "";
}

/** The route of this window; `go` changes it. */
export class Router {
  readonly route: Signal<Route>;
  readonly #window: Window;
  /** Where to go when the step back that is under way has been made: a second one would leave the page. */
  #afterBack: Route | undefined;

  constructor(window: Window) {
    this.#window = window;
    this.route = signal(parseRoute(window.location.hash));
    window.addEventListener("popstate", () => {
      const next = this.#afterBack;
      this.#afterBack = undefined;
      this.route.value = parseRoute(window.location.hash);
      if (next) this.go(next);
    });
  }

  /** A chat opened from the list is one step from it, however many were opened: Back never walks through chats. */
  go(route: Route): void {
    if (this.#afterBack) {
      this.#afterBack = route;
      return;
    }
    // `pathname` without the fragment is the list: "" would change nothing.
    const { history, location } = this.#window;
    const url = formatRoute(route) || location.pathname;
    const isOpen = this.route.value.kind !== "list";
    if (route.kind === "list" && isOpen && isFromList(history.state)) {
      this.#afterBack = route;
      history.back(); // Its popstate sets the route.
      return;
    }
    if (route.kind !== "list" && !isOpen) history.pushState({ fromList: true }, "", url);
    else history.replaceState(history.state, "", url);
    this.route.value = route;
  }
}

function isFromList(state: unknown): boolean {
  return (state as { fromList?: boolean } | null)?.fromList === true;
}
