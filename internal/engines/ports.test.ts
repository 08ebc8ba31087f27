import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { freePorts, isFree } from "./ports.ts";

describe("freePorts", () => {
  it("never gives one twice, and gives none that a client's socket could get", async () => {
    const found = (await Promise.all([freePorts(20), freePorts(20)])).flat();
    assert.equal(new Set(found).size, 40);
    const range = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8").catch(() => "65536");
    const start = Number.parseInt(range, 10);
    if (start > 11_000) for (const port of found) assert.ok(port < start, `${port} is not below ${start}`);
  });

  it("gives none that is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    assert.equal(await isFree(port), false);
    server.close();
    await once(server, "close");
    assert.equal(await isFree(port), true);
  });
});
