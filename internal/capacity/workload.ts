/** What people do, and how long it is kept: all that a plan is made from. */
export interface Workload {
  /** People who use it on a day. */
  readonly users: number;
  /** Messages that one of them sends a day. */
  readonly messages: number;
  /** Bytes of text in a message. */
  readonly textBytes: number;
  /** The busiest second beside the mean one. */
  readonly peak: number;
  /** Members of the thread that a message goes to, the sender among them. */
  readonly members: number;
  /** Days that messages are kept, in years of 365. */
  readonly years: number;
  /** Whole copies of each byte on disks, or Reed-Solomon (6,3): six parts and three more that mend any three. */
  readonly copies: number | "reed-solomon";
  /** Share of the users with a stream open in the busiest hour; most streams are idle. */
  readonly online: number;
  /** How often a user comes back a day: each time a stream is opened. */
  readonly opens: number;
  /** How many others watch a user's presence at a time. */
  readonly watchers: number;
}

/** The seed figures of docs/design.md, section 11. */
export const SEED: Workload = {
  users: 500_000_000,
  messages: 40,
  textBytes: 100,
  peak: 1.45,
  members: 2,
  years: 5,
  copies: 3,
  online: 0.2,
  opens: 10,
  watchers: 5,
};

/** An option as it was written, each as its text; `reedSolomon` has none. Left out: the seed's. */
export interface WorkloadOptions {
  readonly users?: string;
  readonly messages?: string;
  readonly text?: string;
  readonly peak?: string;
  readonly members?: string;
  readonly years?: string;
  readonly replicas?: string;
  readonly reedSolomon?: boolean;
  readonly online?: string;
  readonly opens?: string;
  readonly watchers?: string;
}

/** A number that is asked for: its bounds, both included, and an example for the sentence about a wrong one. */
interface Asked {
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
  readonly example: string;
}

/** Bounds keep a slip of the finger from printing nonsense; those of text and members are the contract's. */
const ASKED = {
  users: { min: 1, max: 10_000_000_000, isWhole: true, example: "500000000 or 500M" },
  messages: { min: 0, max: 100_000, isWhole: false, example: "40" },
  text: { min: 1, max: 32_768, isWhole: true, example: "100" },
  peak: { min: 1, max: 1_000, isWhole: false, example: "1.45" },
  members: { min: 2, max: 10_000, isWhole: false, example: "2" },
  years: { min: 0, max: 100, isWhole: false, example: "5" },
  replicas: { min: 1, max: 10, isWhole: true, example: "3" },
  online: { min: 0, max: 1, isWhole: false, example: "0.2 or 20%" },
  opens: { min: 0, max: 10_000, isWhole: false, example: "10" },
  watchers: { min: 0, max: 10_000, isWhole: false, example: "5" },
} as const satisfies Record<string, Asked>;

/** The workload that options describe, or what is wrong with them: a sentence each, all at once. */
export function readWorkload(options: WorkloadOptions): Workload | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const read = (name: keyof typeof ASKED, seed: number): number => {
    const text = options[name];
    if (text === undefined) return seed;
    const value = numberOf(text);
    const problem = problemOf(name, text, value);
    if (problem) problems.push(problem);
    return value;
  };
  const replicas = read("replicas", 3);
  const workload: Workload = {
    users: read("users", SEED.users),
    messages: read("messages", SEED.messages),
    textBytes: read("text", SEED.textBytes),
    peak: read("peak", SEED.peak),
    members: read("members", SEED.members),
    years: read("years", SEED.years),
    copies: options.reedSolomon ? "reed-solomon" : replicas,
    online: read("online", SEED.online),
    opens: read("opens", SEED.opens),
    watchers: read("watchers", SEED.watchers),
  };
  if (options.reedSolomon && options.replicas !== undefined) {
    problems.push("--replicas and --reed-solomon: a byte is kept in one of the two ways: leave one out");
  }
  return problems.length > 0 ? { problems } : workload;
}

/** `500M`, `1_000`, `20%`, `1.45`; NaN for anything else. */
function numberOf(text: string): number {
  const match = /^(\d[\d_]*(?:\.\d+)?)([kMG%]?)$/.exec(text.trim());
  if (!match) return Number.NaN;
  const scale = { k: 1e3, M: 1e6, G: 1e9, "%": 0.01 }[match[2] ?? ""] ?? 1;
  return Number((match[1] ?? "").replaceAll("_", "")) * scale;
}

function problemOf(name: keyof typeof ASKED, text: string, value: number): string | undefined {
  const { min, max, isWhole, example } = ASKED[name];
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return undefined;
  const kind = isWhole ? "a whole number" : "a number";
  const from = min.toLocaleString("en");
  return `--${name} ${text}: write ${kind} from ${from} to ${max.toLocaleString("en")}, such as ${example}`;
}
