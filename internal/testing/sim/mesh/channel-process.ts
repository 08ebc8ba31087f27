import { MOVE_MS } from "../../../app/assembly/assemble-channel.ts";
import { ChannelService } from "../../../channel/service.ts";
import { serveChannel } from "../../../peers/channel-server.ts";
import type { MeshProcess } from "./mesh-process.ts";

/** A process with a channel instance. */
export function startChannel(process: MeshProcess): void {
  const { clock, tick } = process;
  const { mutant } = process.world;
  const registration = process.register({
    lost: () => {
      if (!mutant.areLinksKept) service.leaseLost();
    },
  });
  const lease = mutant.lease?.(registration) ?? registration;
  const service = new ChannelService({ clock, tick, lease });
  const served = mutant.channel?.(service, lease) ?? service;
  process.serves = (below) => serveChannel(served, mutant.channelBelow?.(below) ?? below);
  process.leaves = async () => {
    if (!mutant.leavesUnsaid) service.leave();
    await registration.leaving();
    if (!mutant.leavesUnsaid) await registration.revoke();
    await process.wait(MOVE_MS);
    service.close();
    await process.wait(MOVE_MS); // For what is flushed to be read.
  };
}
