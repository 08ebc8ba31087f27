/** Where messages are: HBase on HDFS, three replicas; or Postgres, the small mesh. */
export const STORES = ["hbase", "postgres"] as const;

export type Store = (typeof STORES)[number];

/** Programs of the mesh, by the word of their service: which have several, in the order in which they are listed. */
export const PROGRAMS = [
  "gateway",
  "push",
  "message",
  "channel",
  "presence",
  "thread",
  "controlplane",
] as const;

export type ProgramService = (typeof PROGRAMS)[number];

/** How many of each run. */
export type Counts = Readonly<Record<ProgramService, number>> & { readonly etcd: 1 | 3 };

const COUNTS = { gateway: 1, push: 3, message: 2, channel: 2, presence: 2, thread: 2, controlplane: 1 };

/** What a mesh has if nobody says otherwise. */
export function countsOf(store: Store, changes: Partial<Counts> = {}): Counts {
  return { ...COUNTS, etcd: store === "hbase" ? 3 : 1, ...changes };
}
