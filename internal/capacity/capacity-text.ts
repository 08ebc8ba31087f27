import { type Capacity, timesOnDisk } from "./capacity.ts";
import { RULES } from "./constants.ts";
import { coresOf, PROGRAMS } from "./programs.ts";
import { bytesText, countText, figureText } from "./units.ts";
import type { Workload } from "./workload.ts";

/** A line: its name, its figure, and what a reader may not know of it. */
type Line = readonly [name: string, figure: string, remark?: string];

/** Links of one program beyond which one mesh is doubtful: none was tried with so many. */
const MANY_LINKS = 1_000;

/** The plan for a person, at most 80 columns wide. */
export function capacityText(capacity: Capacity): string {
  const { workload } = capacity;
  const parts: readonly (readonly [heading: string, lines: readonly Line[]])[] = [
    ["Asked", asked(workload)],
    ["Load", load(capacity)],
    [`Bytes after ${figureText(workload.years)} years`, bytes(capacity)],
    ["Programs, at the peak", programs(capacity)],
    ["Engines", engines(capacity)],
    ["Connections, at the peak", connections(capacity)],
    ["What costs most, in cores at the peak", drivers(capacity)],
  ];
  const text = parts.map(([heading, lines]) => `${heading}\n${lines.map(lineText).join("")}`);
  return `${text.join("\n")}\n${remark(capacity)}`;
}

function lineText([name, figure, remark = ""]: Line): string {
  return `  ${name.padEnd(24)}${figure.padStart(14)}  ${remark}`.trimEnd().concat("\n");
}

function asked(workload: Workload): Line[] {
  const { users, messages, textBytes, peak, members, online, opens, watchers } = workload;
  return [
    ["users a day", countText(users), "--users"],
    ["messages of a user", figureText(messages), "a day, --messages"],
    ["text of a message", `${countText(textBytes)} B`, "--text"],
    ["peak to mean", figureText(peak), "--peak"],
    ["members of a thread", figureText(members), "--members, the sender among them"],
    ["years kept", figureText(workload.years), "--years"],
    ["kept as", copiesText(workload.copies), "--replicas or --reed-solomon"],
    ["streams open", `${figureText(online * 100)} %`, "of the users, --online"],
    ["a user comes", figureText(opens), "times a day, --opens"],
    ["watchers of a user", figureText(watchers), "of its presence, --watchers"],
  ];
}

function copiesText(copies: Workload["copies"]): string {
  if (copies === "reed-solomon") return "RS (6,3)";
  return copies === 1 ? "1 copy" : `${copies} copies`;
}

function load({ messagesADay, mean, peak }: Capacity): Line[] {
  return [
    ["messages a day", countText(messagesADay)],
    ["mean", `${countText(mean)}/s`],
    ["peak", `${countText(peak.messages)}/s`],
    ["deliveries", `${countText(peak.deliveries)}/s`, "as if all members were online"],
    ["users who come", `${countText(peak.opens)}/s`],
    ["changes of presence", `${countText(peak.presenceChanges)}/s`, "shown to watchers"],
    ["open streams", countText(peak.streams)],
  ];
}

function bytes({ bytes: of, workload }: Capacity): Line[] {
  const other = workload.copies === "reed-solomon" ? "with three copies" : "with Reed-Solomon (6,3)";
  const each = `${of.cell} B for ${of.text} B of text`;
  return [
    ["payload", bytesText(of.payload), "text alone"],
    ["cells", bytesText(of.cells), each],
    ["on disks", bytesText(of.onDisks), `${timesOnDisk(workload.copies)} times the cells`],
    ["", bytesText(of.otherwise), `${other} instead`],
    ["write-ahead logs", `${bytesText(of.logged)}/s`, "at the peak, three copies"],
  ];
}

function programs({ instances, streamsOfAPush, memoryOfAPush, peak }: Capacity): Line[] {
  const remarks: Partial<Record<string, string>> = {
    push: peak.streams > 0 ? `${countText(streamsOfAPush)} streams, ${bytesText(memoryOfAPush)} each` : "",
    gateway: "one core each, half busy",
  };
  return [
    ...PROGRAMS.map((program): Line => [program, countText(instances[program]), remarks[program] ?? ""]),
    ["controlplane", "2", "serve Envoy alone"],
  ];
}

function engines({ hbase, edges, rowWrites }: Capacity): Line[] {
  return [
    ["Envoy", countText(edges)],
    ["HBase regions", countText(hbase.regions), "20 GiB each"],
    ["HBase region servers", countText(hbase.regionServers)],
    ["HDFS data nodes", countText(hbase.dataNodes), "12 disks of 4 TB each"],
    ["etcd", "3"],
    ["Postgres row writes", `${countText(rowWrites)}/s`, "at most: a member's, once a minute"],
  ];
}

function connections({ connections: of }: Capacity): Line[] {
  return [
    ["clients at the edge", countText(of.clients)],
    ["links between programs", countText(of.links), `${countText(of.linksOfAPush)} of each push server`],
    ["to region servers", countText(of.hbase)],
    ["to Postgres", countText(of.sql), "through a pooler"],
  ];
}

function drivers({ works }: Capacity): Line[] {
  const all = works.reduce((sum, work) => sum + coresOf(work), 0);
  const share = (cores: number) => (all === 0 ? "" : `${figureText((cores / all) * 100, 2)} %`);
  return [
    ...works.map((work): Line => [work.what, figureText(coresOf(work)), share(coresOf(work))]),
    ["together", figureText(all)],
  ];
}

function remark({ connections: { linksOfAPush }, instances, works }: Capacity): string {
  const most = Math.max(linksOfAPush, instances.push);
  const figures = "docs/capacity.md has the figures behind this, each with what measures it.\n";
  const cores = works.reduce((sum, work) => sum + coresOf(work), 0);
  if (cores <= RULES.busy.value) return `One bin/heddle on one machine serves so many, too.\n${figures}`;
  if (most <= MANY_LINKS) return figures;
  return `One program would have ${countText(most)} links to others, and no mesh was tried
with more than ${countText(MANY_LINKS)}: share the users among several.
${figures}`;
}
