import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { People } from "./model.ts";

/** Whether others see when this user is there. Asked of the server when it is opened. */
export function VisibilityMenu({ people }: { people: People }) {
  const isShown = useSignal<boolean | undefined>(undefined);
  const isBusy = useSignal(true);
  const problem = useSignal("");
  const settle = async (asked: Promise<string>, otherwise?: boolean) => {
    isBusy.value = true;
    problem.value = "";
    try {
      isShown.value = (await asked) === "shared";
      isBusy.value = false;
    } catch {
      isShown.value = otherwise;
      problem.value = "The server did not answer";
    }
  };
  const choose = async (isWanted: boolean) => {
    isShown.value = isWanted;
    await settle(people.setVisibility(isWanted ? "shared" : "nobody"), !isWanted);
    isBusy.value = false;
  };
  useEffect(() => void settle(people.visibility()), []);
  return (
    <section class="menu" aria-label="Settings">
      <label>
        <input
          type="checkbox"
          checked={isShown.value ?? false}
          indeterminate={isShown.value === undefined}
          disabled={isBusy.value}
          onChange={(event) => choose(event.currentTarget.checked)}
        />
        Show when I am online
      </label>
      <p>Else nobody sees whether you are here, or when you last were.</p>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
