import { type ReadonlySignal, signal } from "@preact/signals";
import { NAME_RULE, userIdOf } from "../memory/identity.ts";

/** Names offered to click at. */
const OFFERED = 12;

/** Who has been chosen so far, and what is being typed. */
export class PeopleChoice {
  /** User ids, in the order in which they were chosen, each once. */
  readonly people = signal<readonly string[]>([]);
  readonly typed = signal("");
  /** What is wrong with what is typed; "" if nothing is. */
  readonly problem = signal("");
  /** Why somebody is left out, as it is said to the one who types the name; "" for anybody else. */
  readonly refuse: (userId: string) => string;

  constructor(refuse: (userId: string) => string) {
    this.refuse = refuse;
  }

  /** Takes the names that are typed. Returns false, and says why, if one of them cannot be taken. */
  takeNames(text = this.typed.value): boolean {
    // A comma may stand in a user's id; one with a space behind it ends a name.
    const names = text.split(/[,;]?\s+/).filter(Boolean);
    const wrong = names.find((name) => userIdOf(name) === undefined);
    const ids = names.flatMap((name) => userIdOf(name) ?? []);
    const refused = ids.map(this.refuse).find(Boolean) ?? "";
    this.problem.value = wrong === undefined ? refused : `“${wrong}”: ${NAME_RULE}`;
    if (this.problem.value !== "") return false;
    this.people.value = [...new Set([...this.people.value, ...ids])];
    this.typed.value = "";
    return true;
  }

  /** Takes one away again. */
  dropName(userId: string): void {
    this.people.value = this.people.value.filter((each) => each !== userId);
  }
}

/** What is being composed is not yet what one has typed. */
function takeAtSeparator(choice: PeopleChoice): void {
  if (/\S\s$/.test(choice.typed.value)) choice.takeNames();
}

/** A field for people: typed names become marks that can be taken away; people one writes with are offered. */
export function PeopleField(props: {
  label: string;
  choice: PeopleChoice;
  /** Who may be offered, the most recent first. */
  known: ReadonlySignal<readonly string[]>;
}) {
  const { label, choice, known } = props;
  const chosen = choice.people.value;
  const offered = known.value
    .filter((userId) => !chosen.includes(userId) && choice.refuse(userId) === "")
    .slice(0, OFFERED);
  return (
    <div class="people-field">
      <label>
        {label}
        <input
          value={choice.typed.value}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          placeholder="Names, with spaces between"
          onInput={({ currentTarget: { value }, isComposing }) => {
            choice.typed.value = value;
            choice.problem.value = "";
            if (!isComposing) takeAtSeparator(choice);
          }}
          onCompositionEnd={() => takeAtSeparator(choice)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || choice.typed.value.trim() === "") return;
            // With names in the field Enter takes them; the next one sends the form.
            event.preventDefault();
            choice.takeNames();
          }}
        />
      </label>
      <p class="problem" role="alert">
        {choice.problem}
      </p>
      <ul class="chips">
        {chosen.map((userId) => (
          <li key={userId}>
            <button
              type="button"
              class="chip chosen"
              aria-label={`Leave out ${userId}`}
              onClick={() => choice.dropName(userId)}
            >
              {userId} <span aria-hidden="true">×</span>
            </button>
          </li>
        ))}
        {offered.map((userId) => (
          <li key={userId}>
            <button
              type="button"
              class="chip"
              aria-label={`Choose ${userId}`}
              onClick={() => choice.takeNames(userId)}
            >
              <span aria-hidden="true">+</span> {userId}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
