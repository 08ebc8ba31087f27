// A chat in a page, for any bundler: /page.html?url=http://127.0.0.1:8480&user=ann&token=…&peer=bob
import { connect } from "@heddle/client";
import { IndexedDbStorage, webTransport } from "@heddle/client/browser";

const query = new URLSearchParams(location.search);
const userId = query.get("user") ?? "";

const client = await connect({
  userId,
  deviceId: "page-example",
  transport: webTransport({ url: query.get("url") ?? "" }),
  credentials: async () => query.get("token") ?? "",
  storage: await IndexedDbStorage.open(`heddle-${userId}`),
});
const chat = await client.direct(query.get("peer") ?? "");

function show(): void {
  const texts = chat.entries.flatMap(({ sender, body }) =>
    body.kind === "text" ? [`${sender}: ${body.text}`] : [],
  );
  const waiting = chat.pending.map(({ text, state }) => `${userId}: ${text} (${state})`);
  const items = [...texts, ...waiting].map((text) =>
    Object.assign(document.createElement("li"), { textContent: text }),
  );
  document.querySelector("ul")?.replaceChildren(...items);
}

chat.on(show);
document.querySelector("form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = document.querySelector("input");
  if (field?.value) void chat.send(field.value);
  if (field) field.value = "";
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) client.foreground();
});
await chat.open();
show();
