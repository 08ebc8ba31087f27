// A chat from Node: says something to somebody, waits for the first thing that comes back, and ends.
//   npm install @heddle/client && npx tsc && node chat.js http://127.0.0.1:8440 ann "$(bin/heddle token ann)" bob "hello"
import { connect } from "@heddle/client";
import { FileStorage, grpcTransport } from "@heddle/client/node";

const [url = "", userId = "", token = "", peer = "", text = ""] = process.argv.slice(2);

const client = await connect({
  userId,
  deviceId: `${userId}-example`,
  transport: grpcTransport({ url }),
  credentials: async () => token, // asked again with `isStale` when it has run out
  storage: await FileStorage.open(`state-${userId}`),
});
const events = client.events(); // from here on nothing is missed

const send = await client.send({ to: peer }, text); // safe in the outbox now, whatever happens
const { seq } = await send.outcome();
console.log(`${userId}, ${seq}: ${text}`);

for await (const event of events) {
  if (event.type !== "entry" || event.entry.sender !== peer || event.entry.body.kind !== "text") continue;
  console.log(`${peer}, ${event.entry.seq}: ${event.entry.body.text}`);
  break;
}
await client.close();
