import { cellBytes } from "./cell-bytes.ts";
import { MEASURED, RULES } from "./constants.ts";
import {
  type Connections,
  connectionsOf,
  instancesOf,
  type Peak,
  type Program,
  type Work,
  workOf,
} from "./programs.ts";
import type { Workload } from "./workload.ts";

const DAY_S = 86_400;

/** What a workload takes. Bytes are those at the end of its years; all else is of the busiest second. */
export interface Capacity {
  readonly workload: Workload;
  readonly messagesADay: number;
  /** Messages a second, over a day. */
  readonly mean: number;
  readonly peak: Peak;
  readonly bytes: Bytes;
  readonly hbase: Hbase;
  /** The greatest first. */
  readonly works: readonly Work[];
  readonly instances: Readonly<Record<Program, number>>;
  readonly edges: number;
  /** Streams of one push server, and its memory for them: bytes. */
  readonly streamsOfAPush: number;
  readonly memoryOfAPush: number;
  readonly connections: Connections;
  /** Writes of thread rows a second, at most: a touch of each member, which covers all messages of its minute. */
  readonly rowWrites: number;
}

/** What is kept. */
export interface Bytes {
  /** Of one message: its text, and its cell with the key that HBase repeats. */
  readonly text: number;
  readonly cell: number;
  readonly payload: number;
  readonly cells: number;
  /** On disks, in the way that was asked for, and in the other one. */
  readonly onDisks: number;
  readonly otherwise: number;
  /** Written to write-ahead logs a second at the peak, always three times: no log can be Reed-Solomon. */
  readonly logged: number;
}

export interface Hbase {
  readonly regions: number;
  readonly regionServers: number;
  readonly dataNodes: number;
}

/** Disks for one byte in this way: six parts and three more for the six, or whole copies. */
export function timesOnDisk(copies: Workload["copies"]): number {
  return copies === "reed-solomon" ? 9 / 6 : copies;
}

/** Makes the plan: docs/design.md, section 11, from measured constants. */
export function capacityOf(workload: Workload): Capacity {
  const messagesADay = workload.users * workload.messages;
  const mean = messagesADay / DAY_S;
  const peak = peakOf(workload, mean);
  const bytes = bytesOf(workload, messagesADay, peak.messages);
  const hbase = hbaseOf(bytes, peak.messages, workload.copies);
  const works = workOf(peak);
  const instances = instancesOf(works);
  const streamsOfAPush = Math.ceil(peak.streams / instances.push);
  return {
    workload,
    messagesADay,
    mean,
    peak,
    bytes,
    hbase,
    works,
    instances,
    edges: Math.max(2, Math.ceil(peak.streams / RULES.streamsPerEdge.value)),
    streamsOfAPush,
    memoryOfAPush: streamsOfAPush * MEASURED.streamKib.value * 1024,
    connections: connectionsOf(instances, peak.streams, hbase.regionServers),
    rowWrites: peak.messages * workload.members,
  };
}

function peakOf({ users, peak, members, online, opens, watchers }: Workload, mean: number): Peak {
  const opensASecond = ((users * opens) / DAY_S) * peak;
  return {
    messages: mean * peak,
    deliveries: mean * peak * (members - 1),
    opens: opensASecond,
    presenceChanges: opensASecond * 2 * watchers,
    streams: Math.round(users * online),
  };
}

function bytesOf({ textBytes, years, copies }: Workload, messagesADay: number, peak: number): Bytes {
  const cell = cellBytes(textBytes);
  const kept = messagesADay * 365 * years;
  const other = copies === "reed-solomon" ? 3 : "reed-solomon";
  return {
    text: textBytes,
    cell,
    payload: kept * textBytes,
    cells: kept * cell,
    onDisks: kept * cell * timesOnDisk(copies),
    otherwise: kept * cell * timesOnDisk(other),
    logged: peak * cell * 3,
  };
}

/**
 * Region servers by what they keep, or by what is written to them, whichever takes more; two at least, so that one may
 * die. Copies, and the nine parts of Reed-Solomon, each need a node of their own.
 */
function hbaseOf({ cells, onDisks }: Bytes, peak: number, copies: Workload["copies"]): Hbase {
  const regions = Math.max(1, Math.ceil(cells / RULES.regionBytes.value));
  const byRegions = Math.ceil(regions / RULES.regionsPerServer.value);
  const byWrites = Math.ceil(peak / RULES.putsPerServer.value);
  return {
    regions,
    regionServers: Math.max(2, byRegions, byWrites),
    dataNodes: Math.max(
      copies === "reed-solomon" ? 9 : copies,
      Math.ceil(onDisks / RULES.dataNodeBytes.value),
    ),
  };
}
