import type { Capacity } from "./capacity.ts";
import { coresOf } from "./programs.ts";

/**
 * The plan in one line for programs, numbers not rounded. Names are a contract: fields are added, never taken away.
 * Bytes are bytes, `_per_s` is of the busiest second.
 */
export function capacityJson(capacity: Capacity): string {
  const { workload, bytes, peak, hbase, connections, instances, works } = capacity;
  return JSON.stringify({
    type: "capacity",
    asked: {
      users: workload.users,
      messages: workload.messages,
      text_bytes: workload.textBytes,
      peak: workload.peak,
      members: workload.members,
      years: workload.years,
      copies: workload.copies,
      online: workload.online,
      opens: workload.opens,
      watchers: workload.watchers,
    },
    messages_per_day: capacity.messagesADay,
    mean_per_s: capacity.mean,
    peak_per_s: peak.messages,
    deliveries_per_s: peak.deliveries,
    opens_per_s: peak.opens,
    presence_changes_per_s: peak.presenceChanges,
    streams: peak.streams,
    payload_bytes: bytes.payload,
    cell_bytes: bytes.cell,
    cells_bytes: bytes.cells,
    disk_bytes: bytes.onDisks,
    logged_bytes_per_s: bytes.logged,
    row_writes_per_s: capacity.rowWrites,
    instances: { ...instances, controlplane: 2, envoy: capacity.edges, etcd: 3 },
    regions: hbase.regions,
    region_servers: hbase.regionServers,
    data_nodes: hbase.dataNodes,
    streams_per_push: capacity.streamsOfAPush,
    memory_bytes_per_push: capacity.memoryOfAPush,
    connections: {
      clients: connections.clients,
      links: connections.links,
      links_per_push: connections.linksOfAPush,
      hbase: connections.hbase,
      sql: connections.sql,
    },
    cores: Object.fromEntries(works.map((work) => [work.what.replaceAll(" ", "_"), coresOf(work)])),
  });
}
