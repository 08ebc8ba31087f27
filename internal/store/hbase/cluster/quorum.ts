import { hostPort } from "../../../base/host-port.ts";

/** The ZooKeeper servers that know where HBase is. */
export interface Quorum {
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** Under which HBase keeps its notes: "/hbase". */
  readonly root: string;
}

const PORT = 2181;

/** Reads "host:port,host:port", with "/root" behind it where HBase's is not /hbase. Throws Error that says what is wrong. */
export function readQuorum(text: string): Quorum {
  const slash = text.indexOf("/");
  const hosts = (slash < 0 ? text : text.slice(0, slash)).split(",").filter((part) => part !== "");
  if (hosts.length === 0) throw new Error(`"${text}" names no ZooKeeper server: write host:port,host:port`);
  const servers = hosts.map((part) => {
    const match = /^(\[[0-9a-f:]+\]|[^:]+)(?::(\d{1,5}))?$/i.exec(part.trim());
    const port = Number(match?.[2] ?? PORT);
    if (!match?.[1] || port < 1 || port > 65_535) throw new Error(`"${part}" is no host:port`);
    return { host: match[1].replace(/^\[|\]$/g, ""), port };
  });
  return { servers, root: slash < 0 ? "/hbase" : text.slice(slash).replace(/\/$/, "") };
}

/** As a person writes it. */
export function quorumText({ servers, root }: Quorum): string {
  const hosts = servers.map(({ host, port }) => hostPort(host, port));
  return `${hosts.join(",")}${root === "/hbase" ? "" : root}`;
}
