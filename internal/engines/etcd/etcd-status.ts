import { readFile } from "node:fs/promises";
import { request } from "node:https";

/** Paths of PEM files: what a member shows to clients and to the others, and whose certificates it takes. */
export interface EtcdTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface EtcdStatus {
  readonly isLeader: boolean;
}

const ANSWER_MS = 1_000;

/** What a member says of itself, by etcd's JSON gateway. Rejects if it does not answer within a second. */
export async function askStatus(url: string, tls: EtcdTls | undefined): Promise<EtcdStatus> {
  const answer = await (tls ? postTls(url, tls) : postPlain(url));
  const { header, leader } = JSON.parse(answer);
  return { isLeader: leader !== undefined && leader === header.member_id };
}

async function postPlain(url: string): Promise<string> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  return (await fetch(`${url}/v3/maintenance/status`, { method: "POST", body: "{}", signal })).text();
}

async function postTls(url: string, tls: EtcdTls): Promise<string> {
  const [cert, key, ca] = await Promise.all([tls.cert, tls.key, tls.ca].map((path) => readFile(path)));
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const asked = request(`${url}/v3/maintenance/status`, { method: "POST", cert, key, ca, signal });
    asked.on("error", reject);
    asked.on("response", async (response) => {
      try {
        resolve(Buffer.concat(await response.toArray()).toString());
      } catch (error) {
        reject(error);
      }
    });
    asked.end("{}");
  });
}
