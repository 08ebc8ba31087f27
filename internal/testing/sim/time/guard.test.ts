import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

/** What no simulated step may use, as a program would write it. Each must throw. */
const FORBIDDEN = [
  "performance.now()",
  'performance.mark("x")',
  "process.hrtime()",
  "process.hrtime.bigint()",
  "process.uptime()",
  "setTimeout(() => {}, 1)",
  "setInterval(() => {}, 1)",
  "timers.setTimeout(() => {}, 1)",
  "timers.setInterval(() => {}, 1)",
  "timers.setImmediate(() => {})",
  "sleep(1)",
  "timersPromises.setImmediate()",
  "timersPromises.scheduler.wait(1)",
  "AbortSignal.timeout(1)",
  "new MessageChannel()",
  'new BroadcastChannel("x")',
  "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)",
  "Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)",
  "crypto.randomUUID()",
  'crypto.subtle.digest("SHA-256", new Uint8Array(1))',
  'crypto.subtle.importKey("raw", new Uint8Array(16), "AES-GCM", true, [])',
  'crypto.subtle.deriveBits("HKDF", {}, 8)',
  "nodeCrypto.randomUUID()",
  "nodeCrypto.randomBytes(1, () => {})",
  "nodeCrypto.randomFill(new Uint8Array(1), () => {})",
  "nodeCrypto.randomInt(1, 2, () => {})",
  'nodeCrypto.pbkdf2("a", "b", 1, 8, "sha1", () => {})',
  'nodeCrypto.scrypt("a", "b", 8, () => {})',
  'nodeCrypto.hkdf("sha256", "a", "b", "c", 8, () => {})',
  'nodeCrypto.generateKeyPair("ed25519", {}, () => {})',
  'nodeCrypto.generateKey("aes", { length: 128 }, () => {})',
  'nodeCrypto.webcrypto.subtle.digest("SHA-256", new Uint8Array(1))',
];

/** What a seed answers: the same twice, and not what the machine says. */
const ANSWERED = [
  "Date.now()",
  "new Date().getTime()",
  "Number(new Date())",
  "Date()",
  "Math.random()",
  "crypto.getRandomValues(new Uint8Array(4)).join()",
  'nodeCrypto.randomBytes(4).toString("hex")',
  "nodeCrypto.randomInt(1_000_000)",
  "nodeCrypto.randomFillSync(new Uint8Array(4)).join()",
  "new Date(86_400_000).toISOString()",
];

const IMPORTS = `
import { setMachine } from "./guard.ts";
import * as timers from "node:timers";
import * as timersPromises from "node:timers/promises";
import { setTimeout as sleep } from "node:timers/promises";
import * as nodeCrypto from "node:crypto";
const machine = () => {
  let state = 0;
  setMachine({ nowMs: () => 1_700_000_000_000, random: () => (state += 1 / 1_024) % 1, soon: (run) => run() });
};
`;

/** Runs a program beside the guard, which takes the clock and the random of its process away. */
function run(program: string): string {
  const flags = ["--disable-warning=ExperimentalWarning", "--input-type=module-typescript"];
  const source = (IMPORTS + program).replaceAll("./guard.ts", new URL("guard.ts", import.meta.url).href);
  return execFileSync(process.execPath, [...flags, "-e", source], { encoding: "utf8" });
}

describe("The guard against the machine", () => {
  it("throws on every clock, timer, random and thread pool that has no answer", () => {
    const tries = FORBIDDEN.map(
      (call) => `try { ${call}; free.push(${JSON.stringify(call)}); } catch (error) {
        if (!/give it a port/.test(error.message)) free.push(${JSON.stringify(call)} + " threw " + error.message);
      }`,
    );
    const program = `machine(); const free = []; ${tries.join("\n")} console.log(JSON.stringify(free)); process.exit(0);`;
    assert.deepEqual(JSON.parse(run(program)), []);
  });

  it("answers the rest by the seed", () => {
    const ask = (call: string) =>
      `machine(); answers.push(String(${call})); machine(); answers.push(String(${call}));`;
    const program = `const answers = []; ${ANSWERED.map(ask).join("\n")} console.log(JSON.stringify(answers));`;
    const answers = JSON.parse(run(program)) as string[];
    for (const [at, call] of ANSWERED.entries()) assert.equal(answers[2 * at], answers[2 * at + 1], call);
    assert.equal(answers[0], "1700000000000");
    assert.equal(answers[2], "1700000000000");
    assert.equal(answers.at(-1), "1970-01-02T00:00:00.000Z");
    assert.deepEqual(JSON.parse(run(program)), answers);
  });

  it("runs what setImmediate is given in a step of the one who asked", () => {
    const program = `machine(); let at = 0; setImmediate(() => { at = Date.now(); }); console.log(at);`;
    assert.equal(run(program).trim(), "1700000000000");
  });
});
