import { signal, useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";

/** What is not needed to read and write, in a script of its own. */
export type More = typeof import("./more.ts");

/** One fetch for all who ask. */
let fetching: Promise<More> | undefined;
/** Set once it is there; what stands waiting is drawn then. */
const fetched = signal<More | undefined>(undefined);

/** Fetches it, once; after a failure anew. */
export function fetchMore(): Promise<More> {
  fetching ??= import("./more.ts").then(
    (more) => {
      fetched.value = more;
      return more;
    },
    (fault) => {
      fetching = undefined;
      throw fault;
    },
  );
  return fetching;
}

/** A part of the screen that comes with that script: at once where it is there. */
export function Later<Props extends object>(props: {
  pick: (more: More) => ComponentType<Props>;
  props: Props;
}) {
  const hasFailed = useSignal(false);
  useEffect(() => {
    fetchMore().catch(() => {
      hasFailed.value = true;
    });
  }, [hasFailed]);
  const Part = fetched.value && props.pick(fetched.value);
  if (Part) return <Part {...props.props} />;
  // On its way: it takes milliseconds, and a word would only flash.
  if (!hasFailed.value) return null;
  return (
    <p class="menu problem" role="alert">
      This needs a connection. Close it, and try again when there is one.
    </p>
  );
}
