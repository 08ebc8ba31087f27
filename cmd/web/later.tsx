import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";

/** What is not needed to read and write, in a script of its own. */
export type More = typeof import("./more.ts");

let more: Promise<More> | undefined;

/** Fetches it, once; after a failure anew. */
export function fetchMore(): Promise<More> {
  more ??= import("./more.ts").catch((fault) => {
    more = undefined;
    throw fault;
  });
  return more;
}

/** A part of the screen that comes with that script. `pick` must be the same each time. */
export function Later<Props extends object>(props: {
  pick: (more: More) => ComponentType<Props>;
  props: Props;
}) {
  const { pick } = props;
  const part = useSignal<{ readonly Part: ComponentType<Props> } | undefined>(undefined);
  const hasFailed = useSignal(false);
  useEffect(() => {
    fetchMore().then(
      (found) => {
        part.value = { Part: pick(found) };
      },
      () => {
        hasFailed.value = true;
      },
    );
  }, [pick, part, hasFailed]);
  if (part.value) return <part.value.Part {...props.props} />;
  if (!hasFailed.value) return null;
  return (
    <p class="menu problem" role="alert">
      This needs a connection. Close it, and try again when there is one.
    </p>
  );
}
