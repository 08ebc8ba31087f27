import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { People } from "./model.ts";

/** Whether others see when this user is there. Asked of the server when it is opened. */
export function VisibilityMenu({ people }: { people: People }) {
  const isShown = useSignal<boolean | undefined>(undefined);
  const problem = useSignal("");
  const settle = async (asked: Promise<string>) => {
    const was = isShown.value;
    isShown.value = undefined;
    problem.value = "";
    try {
      isShown.value = (await asked) === "shared";
    } catch {
      isShown.value = was;
      problem.value = "The server did not answer";
    }
  };
  useEffect(() => void settle(people.visibility()), []);
  return (
    <section class="menu" id="menu" aria-label="Settings">
      <label>
        <input
          type="checkbox"
          checked={isShown.value ?? false}
          disabled={isShown.value === undefined}
          onChange={(event) =>
            settle(people.setVisibility(event.currentTarget.checked ? "shared" : "nobody"))
          }
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
