import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import {
  type Identity,
  identityOf,
  NAME_RULE,
  signInByName,
  userClaim,
  userIdOf,
} from "../memory/identity.ts";
import { SLOT_COUNT } from "../memory/slots.ts";
import { Mark } from "../parts/icons.tsx";

/**
 * The card that stands alone on the page before and beside the chat. It is the page's `main`, so a screen reader begins
 * there.
 */
function Card({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="entrance">
      <div class="card">
        <Mark />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

/**
 * Sign-in by name, or by token where the server signs nobody in by name. `notice`: what is said in place of the
 * welcome, such as why one was signed out. Nothing is kept before the server, or the token, has named the user.
 */
export function SignIn(props: { notice: string; lastName: string; onSignIn: (identity: Identity) => void }) {
  const isByToken = useSignal(false);
  const problem = useSignal("");
  const isBusy = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    input.current?.focus();
    // The name of last time is offered: typing replaces it, Enter takes it.
    input.current?.select();
  }, [isByToken.value]);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy.value) return;
    isBusy.value = true;
    problem.value = "";
    try {
      const identity = await identityFor(input.current?.value ?? "", isByToken.value);
      // Only the development profile signs in by name: elsewhere the form changes to the other way.
      if (identity !== "unavailable") return props.onSignIn(identity);
      isByToken.value = true;
      problem.value = "This server signs nobody in by name. Paste the token that you were given.";
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error);
      input.current?.focus();
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <Card title="Heddle">
      <p class="lead">{props.notice || "Write to each other, live."}</p>
      <form onSubmit={submit} noValidate>
        {isByToken.value ? (
          <TokenField input={input} />
        ) : (
          <NameField input={input} lastName={props.lastName} />
        )}
        {/* It stands there empty too: screen readers tell of a text that changes, not of an element that comes. */}
        <p class="problem" role="alert" id="problem">
          {problem.value}
        </p>
        {/* Not `disabled`: the focus would be lost when it is pressed. */}
        <button type="submit" class="primary" aria-disabled={isBusy.value}>
          {isBusy.value ? "Signing in…" : "Sign in"}
        </button>
      </form>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          isByToken.value = !isByToken.value;
          problem.value = "";
        }}
      >
        {isByToken.value ? "Use a name instead" : "Use a token instead"}
      </button>
    </Card>
  );
}

interface FieldProps {
  readonly input: { current: HTMLInputElement | null };
}

/** Offers the name last used in this browser. */
function NameField({ input, lastName }: FieldProps & { readonly lastName: string }) {
  return (
    <label>
      Your name
      <input
        ref={input}
        name="name"
        defaultValue={lastName}
        maxLength={300}
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        placeholder="ann"
        aria-describedby="problem"
      />
    </label>
  );
}

/** A password field, so that nobody reads the token off the screen, and browsers do not remember it. */
function TokenField({ input }: FieldProps) {
  return (
    <label>
      Token
      <input
        ref={input}
        name="token"
        type="password"
        autocomplete="off"
        spellcheck={false}
        aria-describedby="problem"
      />
    </label>
  );
}

/** Who signs in with what was typed. Rejects with an Error that a person can read. */
async function identityFor(typed: string, isByToken: boolean): Promise<Identity | "unavailable"> {
  if (isByToken) {
    const identity = identityOf(typed, await userClaim());
    if (!identity) throw new Error("This is no token: it should have three parts with dots between them.");
    return identity;
  }
  const userId = userIdOf(typed);
  if (userId === undefined) throw new Error(NAME_RULE);
  return await signInByName(userId);
}

/**
 * Shown to the tab that finds all slots taken (memory/slots.ts). It goes on by itself when another is closed: it waits
 * in line for every slot.
 */
export function TabsFull({ onSignOut }: { onSignOut: () => void }) {
  return (
    <Card title="Too many tabs">
      <p role="status">
        Heddle is open in {SLOT_COUNT} other tabs or windows of this browser, and that is as many as it can
        serve: browsers keep at most six connections to a site, and each open chat needs one of its own.
      </p>
      <p>
        <strong>Close one of the other tabs, and this one goes on by itself.</strong>
      </p>
      <div class="waiting" aria-hidden="true" />
      <button type="button" class="quiet" onClick={onSignOut}>
        Sign out of this tab
      </button>
    </Card>
  );
}

/** Shown where the chat cannot run. `problem` is a sentence that says what would help. */
export function Unable({ problem, onSignOut }: { problem: string; onSignOut: () => void }) {
  return (
    <Card title="This does not work here">
      <p role="alert">{problem}</p>
      <button type="button" class="primary" onClick={() => location.reload()}>
        Try again
      </button>
      <button type="button" class="quiet" onClick={onSignOut}>
        Sign out
      </button>
    </Card>
  );
}
