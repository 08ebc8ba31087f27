import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { createLog } from "../../base/log.ts";
import { createMetrics } from "../../base/metrics.ts";
import { createRpcMetrics } from "../metrics.ts";
import { sendText } from "./http-route.ts";
import { createWebServer } from "./web-server.ts";

describe("A web listener", () => {
  it("takes nobody any more once it is closed, also without a drain", async () => {
    const log = createLog({ level: "silent" });
    const metrics = createRpcMetrics(createMetrics({ process: false }));
    const server = createWebServer({
      services: [],
      context: { clock: systemClock, log, metrics },
      routes: [
        (_, response) => {
          sendText(response, 200, "hello");
          return true;
        },
      ],
    });
    const port = await server.listen({ host: "127.0.0.1", port: 0, text: "127.0.0.1:0" });
    const get = () => fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
    assert.equal(await get(), "hello\n");
    server.close();
    await assert.rejects(get());
  });
});
