import type { Writable } from "node:stream";
import { type OpenClient, waitSignal, waitUntilLive, withClient } from "../device/open-client.ts";
import type { Settings } from "../device/settings.ts";
import { EXIT } from "../exit-code.ts";
import { PipedSends } from "./piped-sends.ts";

/**
 * Signs in as another device where this one was signed out, which is for ever. What it held and had left to send is the
 * new one's, and goes out; so does what other runs left whose devices were signed out. Resolves to the exit code.
 */
export async function signInAnew(settings: Settings, output: Writable): Promise<number> {
  const isRenewed = await withClient(
    settings,
    async ({ client, renewDevice }) => {
      const problem = await waitUntilLive(client, settings).catch((thrown: unknown) => thrown);
      if (client.state.reason?.kind === "device-revoked") await renewDevice();
      else if (problem) throw problem;
      return problem !== undefined;
    },
    { renews: true },
  );
  const use = async ({ client, leftoversOut }: OpenClient) => {
    await waitUntilLive(client, settings);
    // What waited goes out at once: the person may not run chat again soon.
    const isOwnSent = await new PipedSends(client, Math.max(1, settings.waitMs)).settled();
    const isAllSent = (await leftoversOut(waitSignal(settings))) && isOwnSent;
    const how = isRenewed ? "signed in anew" : "signed in already";
    output.write(
      `${settings.json ? JSON.stringify({ type: "signed_in", device: client.deviceId, is_new: isRenewed }) : `${how}, as ${client.deviceId}`}\n`,
    );
    return isAllSent ? EXIT.well : EXIT.away;
  };
  return await withClient(settings, use, { renews: true });
}
