import { useSignal, useSignalEffect } from "@preact/signals";
import type { Connection, Model } from "../model.ts";

/** How long a connection may be made anew before it is worth a word. */
const PATIENCE_MS = 1_000;

/** What is said where the browser does not keep all, by what it does keep. */
const KEEPING = {
  chats: "This browser takes no more notes of this page: drafts and sign-in end when the tab is reloaded.",
  nothing:
    "This browser keeps nothing for this page: what is not sent is lost when the tab is reloaded or closed.",
};

/** Says how the connection stands when it is not simply there, what this browser does not keep, and what was lost. */
export function Banner({ model, onSignIn }: { model: Model; onSignIn: (notice: string) => void }) {
  const connection = useSettled(model);
  const seconds = useSecondsLeft(connection);
  return (
    <div class="banner" role="status" data-phase={connection.phase}>
      {model.keeping.value !== "all" && <p>{KEEPING[model.keeping.value]}</p>}
      {model.putBack.value !== "" && (
        <>
          <p>{model.putBack.value}</p>
          <button
            type="button"
            onClick={() => {
              model.putBack.value = "";
            }}
          >
            Understood
          </button>
        </>
      )}
      {connection.phase !== "online" && (
        <>
          <p>{sentence(connection, seconds)}</p>
          {connection.phase === "offline" && (
            <button type="button" onClick={() => model.reconnect()}>
              Try now
            </button>
          )}
          {connection.phase === "ended" && (
            <button type="button" onClick={() => onSignIn("")}>
              Sign in again
            </button>
          )}
        </>
      )}
    </div>
  );
}

/**
 * The connection, with short passages between two good moments left out: a server that is moved, or a lift, is not
 * worth a word that comes and goes.
 */
function useSettled(model: Model): Connection {
  const settled = useSignal<Connection>({ phase: "online" });
  useSignalEffect(() => {
    const connection = model.connection.value;
    if (connection.phase === "online" || connection.phase === "ended") {
      settled.value = connection;
      return;
    }
    // The banner is up already: it follows at once.
    if (settled.peek().phase !== "online") {
      settled.value = connection;
      return;
    }
    const timer = setTimeout(() => {
      settled.value = model.connection.peek();
    }, PATIENCE_MS);
    return () => clearTimeout(timer);
  });
  return settled.value;
}

/** Whole seconds until the next try, counted down. */
function useSecondsLeft(connection: Connection): number {
  const seconds = useSignal(0);
  const retryAtMs = connection.phase === "offline" ? (connection.retryAtMs ?? 0) : 0;
  const at = useSignal(retryAtMs);
  // A signal, so that the effect below begins anew with the next wait.
  at.value = retryAtMs;
  useSignalEffect(() => {
    if (at.value === 0) return;
    const count = () => {
      seconds.value = Math.max(0, Math.ceil((at.peek() - Date.now()) / 1000));
    };
    count();
    const timer = setInterval(count, 1000);
    return () => clearInterval(timer);
  });
  return seconds.value;
}

/** What is said of a connection. Each tells what becomes of what one writes. */
function sentence(connection: Connection, seconds: number): string {
  switch (connection.phase) {
    case "connecting":
      return "Connecting…";
    case "reconnecting":
      return "Connecting again…";
    case "offline":
      return `Offline. Messages wait here and go out when the server is back.${seconds > 2 ? ` Next try in ${seconds} s.` : ""}`;
    case "ended":
      return connection.why === "revoked"
        ? "This browser was signed out from another of your devices. What you wrote is kept, and goes out once you sign in again."
        : "Your sign-in has run out. What you wrote is kept.";
    case "online":
      return "";
  }
}
