import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { ClientWorld } from "../../../internal/testing/worlds/client/client-world.ts";
import { ProblemLines } from "../device/problem-lines.ts";
import { readSettings } from "../device/settings.ts";
import { live } from "./live.ts";

describe("The live view", () => {
  const openOn = async (isTTY: boolean) => {
    const world = await new ClientWorld().live();
    let [shown, stderr] = ["", ""];
    const output = new Writable({
      write: (chunk, _encoding, done) => {
        shown += chunk;
        done();
      },
    });
    const input = Object.assign(new PassThrough(), { isTTY, setRawMode: () => {} });
    const streams = { input, output: Object.assign(output, { isTTY }) };
    const problems = new ProblemLines({
      write: (text) => {
        stderr += text;
      },
    });
    const open = {
      client: world.client,
      notice: undefined,
      renewDevice: async () => {},
      leftoversOut: async () => true,
      problems,
    };
    const over = live(open, readSettings("ann", {}, {}), streams, undefined);
    return {
      problems,
      /** Since it was asked last. */
      shown: () => {
        const text = stripVTControlCharacters(shown);
        shown = "";
        return text;
      },
      stderr: () => stderr,
      quit: async () => {
        input.end("/quit\r");
        assert.equal(await over, 0);
        await world.client.close();
      },
    };
  };

  it("shows problems of what other runs left above the input, while there is a screen, and not amid it", async () => {
    const chat = await openOn(true);
    chat.shown();
    chat.problems.say("what device 2 has left to send goes out only after you sign in anew");
    assert.match(chat.shown(), /· what device 2 has left .* anew\n[\s\S]*ann> $/);
    assert.equal(chat.stderr(), "");
    await chat.quit();
    chat.problems.say("and another");
    assert.equal(chat.stderr(), "chat: and another\n");
  });

  it("leaves them on stderr where its output is a pipe", async () => {
    const chat = await openOn(false);
    chat.shown();
    chat.problems.say("one");
    assert.equal(chat.shown(), "");
    assert.equal(chat.stderr(), "chat: one\n");
    await chat.quit();
  });
});
