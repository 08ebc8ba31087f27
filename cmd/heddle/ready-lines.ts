import { relative } from "node:path";
import type { Heddle } from "../../internal/app/all-in-one.ts";
import type { HeddleConfig } from "../../internal/app/settings/config.ts";

/**
 * Where to go and what to do next: three lines for a person, of which the first says in capitals when anyone gets in by
 * name.
 */
export function readyLines(heddle: Heddle, config: HeddleConfig): string {
  const data = relative(process.cwd(), config.dataDir) || ".";
  // The shorter of the two ways to say it.
  const folder = data.startsWith("..") ? config.dataDir : `./${data}`;
  const where = heddle.engine === undefined ? folder : `${heddle.engine}, keys in ${folder}`;
  const grpc = heddle.grpcUrl.replace("http://", "");
  const isDevelopment = config.profile === "development";
  const profile = isDevelopment
    ? "DEVELOPMENT PROFILE: ANYONE IS SIGNED IN BY NAME, from this machine only"
    : "production profile";
  const next = isDevelopment
    ? "open the page in two windows, as ann and as bob, or run: bin/chat as ann"
    : "sign in on the page with a token of your identity provider";
  return [
    `Heddle is ready (${profile}). Data in ${where}. Ctrl-C stops it.`,
    `  page  ${heddle.webUrl}   gRPC  ${grpc}   admin  ${heddle.adminUrl}`,
    `  next  ${next}`,
  ].join("\n");
}

/**
 * The chosen addresses in one line, for programs that let the system choose ports. `_url` is what clients dial, `_addr`
 * is host:port. Names are a contract: fields are added, never taken away.
 */
export function readyJson(heddle: Heddle): string {
  const { grpcUrl, webUrl, adminUrl } = heddle;
  return JSON.stringify({
    type: "ready",
    grpc_url: grpcUrl,
    web_url: webUrl,
    admin_url: adminUrl,
    grpc_addr: new URL(grpcUrl).host,
    web_addr: new URL(webUrl).host,
    admin_addr: new URL(adminUrl).host,
    pid: process.pid,
  });
}
