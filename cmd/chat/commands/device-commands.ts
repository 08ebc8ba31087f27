import type { Writable } from "node:stream";
import type { Command } from "commander";
import { asHeddleError, type Client } from "../../../client/index.ts";
import { type OpenClient, waitUntilLive } from "../device/open-client.ts";
import type { Settings } from "../device/settings.ts";
import { callProblem, EXIT } from "../exit-code.ts";

/** Runs a command with a client, as command-line.ts does. */
type Run = (use: (open: OpenClient, settings: Settings) => Promise<number>) => Promise<void>;

/** Adds the commands about the user's own devices, this one among them: once revoked it needs `sign-in` to go on. */
export function addDeviceCommands(program: Command, run: Run, output: Writable): void {
  const devices = program
    .command("devices")
    .description("print the devices you are signed in on, the last used first")
    .action(() =>
      run(async ({ client }, settings) => {
        await waitUntilLive(client, settings);
        for (const device of await client.devices().catch(refused)) {
          output.write(`${deviceLine(device, settings)}\n`);
        }
        return EXIT.well;
      }),
    );
  devices
    .command("revoke <device>")
    .description("sign a device out for ever, such as one that is lost; <device> is as `devices` prints it")
    .action((deviceId: string) =>
      run(async ({ client }, settings) => {
        await waitUntilLive(client, settings);
        await client.revokeDevice(deviceId).catch(refused);
        output.write(
          `${settings.json ? JSON.stringify({ type: "revoked", device: deviceId }) : `${deviceId} is signed out`}\n`,
        );
        return EXIT.well;
      }),
    );
}

/** What the server knows of a device. Times are the server's. */
type Device = Awaited<ReturnType<Client["devices"]>>[number];

function deviceLine({ deviceId, createdAtMs, lastOpenedAtMs }: Device, settings: Settings): string {
  if (settings.json) {
    return JSON.stringify({
      type: "device",
      device: deviceId,
      created_at_ms: createdAtMs,
      last_opened_at_ms: lastOpenedAtMs,
    });
  }
  return `${deviceId}  last used ${new Date(lastOpenedAtMs).toLocaleString()}`;
}

/** Ends the command with the server's own words. */
function refused(thrown: unknown): never {
  throw callProblem(asHeddleError(thrown));
}
