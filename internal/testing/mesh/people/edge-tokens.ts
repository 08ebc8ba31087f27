import { request } from "node:https";

/** Tokens of the development profile through an edge whose certificate is of `ca`. Rejects where there are none. */
export async function edgeTokens(
  edgeUrl: string,
  ca: Uint8Array,
  users: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const text = await new Promise<string>((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const asked = request(
      `${edgeUrl}/dev/tokens`,
      { method: "POST", headers, ca: Buffer.from(ca) },
      (answer) => {
        answer.setEncoding("utf8");
        let body = "";
        answer.on("data", (piece: string) => {
          body += piece;
        });
        answer.on("end", () => {
          if (answer.statusCode === 200) resolve(body);
          else reject(new Error(`/dev/tokens: ${answer.statusCode} ${body}`));
        });
      },
    );
    asked.on("error", reject);
    asked.end(JSON.stringify({ users }));
  });
  return (JSON.parse(text) as { readonly tokens: Readonly<Record<string, string>> }).tokens;
}
