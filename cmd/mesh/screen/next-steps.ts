import { relative } from "node:path";
import type { ReadyMesh } from "../control/messages.ts";

/** A path as it is typed from here: the shorter of both forms. */
function typed(path: string): string {
  const near = relative(process.cwd(), path);
  return near.length < path.length && near !== "" ? near : path;
}

/** What a person reads when the mesh serves: where it is, and what to type next. `begins` is the first sentence. */
export function nextSteps({ edgeUrl, ca, env, store }: ReadyMesh, begins: string): string {
  const place = store === "hbase" ? "messages in HBase, rows in Postgres" : "messages and rows in Postgres";
  return `${begins} (DEVELOPMENT PROFILE: ANYONE IS SIGNED IN BY NAME, from this machine only)
  address  ${edgeUrl}   gRPC, gRPC-Web, Connect and the page; ${place}
  chat     . ${sourced(typed(env))}   once in a shell, then: bin/chat as ann
           and in a second shell the same, then: bin/chat as bob
  page     ${edgeUrl}   in a browser that trusts ${typed(ca)}, or past its warning
  look     make mesh-status   end it: make mesh-down (the data stays)
`;
}

/** A shell looks for a name without a slash in its PATH. */
function sourced(path: string): string {
  return path.includes("/") ? path : `./${path}`;
}
