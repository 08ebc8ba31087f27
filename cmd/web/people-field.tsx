import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { NAME_RULE, userIdOf } from "./identity.ts";

/** Names offered to click at. */
const OFFERED = 12;

/** A field for people: typed names become marks that can be taken away; people one writes with are offered. */
export function PeopleField(props: {
  label: string;
  people: Signal<readonly string[]>;
  /** Who may be offered, the most recent first. */
  known: ReadonlySignal<readonly string[]>;
  /** Who is left out, and why, as it is said to whoever types the name. */
  refuse: (userId: string) => string;
}) {
  const { label, people, known, refuse } = props;
  const typed = useSignal("");
  const problem = useSignal("");
  const take = (text: string) => {
    const names = text.split(/[\s,;]+/).filter(Boolean);
    const wrong = names.find((name) => userIdOf(name) === undefined);
    const ids = names.flatMap((name) => userIdOf(name) ?? []);
    const refused = ids.map(refuse).find(Boolean);
    problem.value = wrong === undefined ? (refused ?? "") : `“${wrong}”: ${NAME_RULE}`;
    if (problem.value !== "") return false;
    people.value = [...new Set([...people.value, ...ids])];
    typed.value = "";
    return true;
  };
  const drop = (userId: string) => {
    people.value = people.value.filter((each) => each !== userId);
  };
  const offered = known.value
    .filter((userId) => !people.value.includes(userId) && refuse(userId) === "")
    .slice(0, OFFERED);
  return (
    <div class="people-field">
      <label>
        {label}
        <input
          value={typed.value}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          placeholder="Names, with spaces between"
          onInput={(event) => {
            typed.value = event.currentTarget.value;
            problem.value = "";
            if (/[\s,;]$/.test(typed.value) && typed.value.trim() !== "") take(typed.value);
          }}
          onBlur={() => typed.value.trim() !== "" && take(typed.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || typed.value.trim() === "") return;
            // With names in the field Enter takes them; the next one sends the form.
            event.preventDefault();
            take(typed.value);
          }}
        />
      </label>
      <p class="problem" role="alert">
        {problem}
      </p>
      <ul class="chips" aria-label="Chosen">
        {people.value.map((userId) => (
          <li key={userId}>
            <button
              type="button"
              class="chip chosen"
              aria-label={`Leave out ${userId}`}
              onClick={() => drop(userId)}
            >
              {userId} <span aria-hidden="true">×</span>
            </button>
          </li>
        ))}
        {offered.map((userId) => (
          <li key={userId}>
            <button type="button" class="chip" aria-label={`Choose ${userId}`} onClick={() => take(userId)}>
              <span aria-hidden="true">+</span> {userId}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
