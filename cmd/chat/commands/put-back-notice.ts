import type { Writable } from "node:stream";
import type { Client } from "../../../client/index.ts";
import type { Settings } from "../device/settings.ts";
import { eventJson } from "../lines/json-lines.ts";

/**
 * Says, in words, when the server was put back to an earlier state or has other data: of commands that do one thing. On
 * stderr, as it is no part of what was asked for; with --json a line as any other.
 */
export function sayPutBack(client: Client, settings: Settings, output: Writable): void {
  client.on((event) => {
    if (event.type !== "put_back") return;
    if (settings.json) output.write(`${JSON.stringify(eventJson(event))}\n`);
    else process.stderr.write(`chat: ${event.text}\n`);
  });
}
