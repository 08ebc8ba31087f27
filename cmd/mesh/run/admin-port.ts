import { get } from "node:http";

const ANSWER_MS = 2_000;
/** Above what a program shows, and a bound for what is not one of ours. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
}

/** Asks a program's admin port on this machine, as in "/readyz". Rejects where it does not answer within 2 s. */
export function askAdmin(port: number, path: string): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: "127.0.0.1", port, path, timeout: ANSWER_MS }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => {
        text += chunk;
        if (text.length > MAX_BYTES) asked.destroy(new Error("too long"));
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: text.trim() }));
      response.on("error", reject);
    });
    asked.on("timeout", () => asked.destroy(new Error("no answer in time")));
    asked.on("error", reject);
  });
}
