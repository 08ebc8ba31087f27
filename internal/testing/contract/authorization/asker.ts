/** The columns of docs/authorization.md: how one stands to what a call, frame or event is about. */
export const ASKERS = [
  "member",
  "ex-member",
  "returned",
  "never-member",
  "blocked",
  "blocker",
  "stranger",
  "revoked",
  "another's",
] as const;

/** One of the columns. */
export type Asker = (typeof ASKERS)[number];

/** Who each of them is in the world of the test. */
export const USERS: Readonly<Record<Asker, string>> = {
  member: "bob",
  "ex-member": "exa",
  returned: "ret",
  "never-member": "nev",
  blocked: "bla",
  blocker: "blo",
  stranger: "str",
  revoked: "rev",
  "another's": "bob",
};
