import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { People } from "../model.ts";

/**
 * Whether others see when this user is there. Asked of the server when the menu is opened; until the server has said
 * it, and after a change that it did not confirm, there is no box: one would show a state that nobody knows.
 */
export function VisibilityMenu({ people }: { people: People }) {
  const isShown = useSignal<boolean | undefined>(undefined);
  const isBusy = useSignal(true);
  const problem = useSignal("");
  const settle = async (asked: Promise<string>) => {
    isBusy.value = true;
    problem.value = "";
    try {
      // A third value of a later server would be shown as "not shown", and stays as it is until one ticks the box.
      isShown.value = (await asked) === "shared";
    } catch {
      isShown.value = undefined;
      problem.value = "The server did not answer";
    }
    isBusy.value = false;
  };
  const ask = () => settle(people.visibility());
  const choose = (isWanted: boolean) => {
    // At once, as the box does; if it fails, the box goes, and the server is asked.
    isShown.value = isWanted;
    return settle(people.setVisibility(isWanted ? "shared" : "nobody"));
  };
  useEffect(() => void ask(), []);
  return (
    <div aria-busy={isBusy.value}>
      {isShown.value !== undefined && (
        <>
          <label>
            <input
              type="checkbox"
              checked={isShown.value}
              disabled={isBusy.value}
              onChange={(event) => choose(event.currentTarget.checked)}
            />
            Show when I am online
          </label>
          <p>Else nobody sees whether you are here, or when you last were.</p>
        </>
      )}
      {isShown.value === undefined && isBusy.value && <p>Asking the server who sees you…</p>}
      <p class="problem" role="alert">
        {problem}
      </p>
      {problem.value && (
        <button type="button" class="plain" onClick={ask}>
          Ask again
        </button>
      )}
    </div>
  );
}
