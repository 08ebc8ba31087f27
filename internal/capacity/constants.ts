/** A figure that `make bench` measures, and the row of docs/bench.md that says it. */
export interface Measured {
  readonly value: number;
  readonly unit: string;
  readonly about: string;
  /** Measures it anew. A test holds the value to the row within a factor of two: machines differ, mistakes more. */
  readonly command: string;
  /** The row: its bench, which column, and what must stand in its column `with`. */
  readonly row: { readonly bench: string; readonly column: "value" | "CPU each"; readonly with: string };
}

/**
 * What one of each thing costs, all in one process on embedded stores. The mesh has links between: their cost is
 * measured for itself and added for each hop.
 */
export const MEASURED = {
  direct: {
    value: 58.8,
    unit: "µs of CPU",
    about: "a durable message to one user who is online, all of it",
    command: "make bench ONLY=direct",
    row: { bench: "direct", column: "CPU each", with: "clients 100" },
  },
  append: {
    value: 36,
    unit: "µs of CPU",
    about: "of which the message service takes: judging, appending, publishing",
    command: "make bench ONLY=links",
    row: { bench: "links.direct", column: "CPU each", with: "answers append, in flight 256" },
  },
  delivery: {
    value: 24.9,
    unit: "µs of CPU",
    about: "one more stream that a message goes to, its acks and receipts included",
    command: "make bench ONLY=group",
    row: { bench: "group.arrived", column: "CPU each", with: "members 100" },
  },
  link: {
    value: 36.9,
    unit: "µs of CPU",
    about: "a request over a link between two programs, half of it at each end",
    command: "make bench ONLY=links",
    row: { bench: "links.grpc", column: "CPU each", with: "answers nothing, in flight 256" },
  },
  connect: {
    value: 3_440,
    unit: "µs of CPU",
    about: "a user who comes: a ticket, a stream, what it is told first",
    command: "make bench ONLY=connect",
    row: { bench: "connect", column: "CPU each", with: "at once 16" },
  },
  presence: {
    value: 138,
    unit: "µs of CPU",
    about: "a change of presence that one watcher is shown",
    command: "make bench ONLY=presence",
    row: { bench: "presence.offline", column: "CPU each", with: "users 100" },
  },
  streamKib: {
    value: 40.4,
    unit: "KiB",
    about: "memory of an open stream on a push server",
    command: "make bench ONLY=idle",
    row: { bench: "idle", column: "value", with: "streams 10000" },
  },
  idle: {
    value: 19.5,
    unit: "% of a core",
    about: "10,000 open streams that say nothing but a ping every 15 s",
    command: "make bench ONLY=idle",
    row: { bench: "idle.cpu", column: "value", with: "streams 10000" },
  },
} as const satisfies Record<string, Measured>;

/** Streams that `MEASURED.idle` was measured with. */
export const IDLE_STREAMS = 10_000;

/** A rule that a plan goes by and that no bench of this project measures: where it comes from stands in `about`. */
export interface Rule {
  readonly value: number;
  readonly unit: string;
  readonly about: string;
}

/** Change them with what your own machines show. */
export const RULES = {
  busy: {
    value: 0.5,
    unit: "of a core",
    about: "how busy a program may be in the busiest second: the rest is for the load of one that has died",
  },
  storeCall: {
    value: 42,
    unit: "µs of CPU",
    about: "a check-and-put in the message program, by the driver `thin`; 225 were seen by `rpc-client`",
  },
  regionBytes: {
    value: 20 * 2 ** 30,
    unit: "bytes",
    about: "size at which HBase splits a region, the upper end of what its reference guide advises",
  },
  regionsPerServer: {
    value: 200,
    unit: "regions",
    about: "of one region server, the upper end of what its reference guide advises",
  },
  putsPerServer: {
    value: 5_000,
    unit: "check-and-puts/s",
    about:
      "of one region server; 1,445/s were seen on two cores that four others shared, three replicas, one disk",
  },
  dataNodeBytes: {
    value: 33.6e12,
    unit: "bytes",
    about: "of one data node: twelve disks of 4 TB, filled to 70 %, for a disk that has died is copied anew",
  },
  streamsPerEdge: {
    value: 50_000,
    unit: "streams",
    about: "of one Envoy, which takes about 70 KB of memory for each",
  },
  sqlPool: {
    value: 10,
    unit: "connections",
    about: "that a program holds to Postgres at most",
  },
  userIdBytes: {
    value: 12,
    unit: "bytes",
    about: "of a user_id; each entry has its sender's",
  },
} as const satisfies Record<string, Rule>;
