import type { Command } from "commander";
import { EXIT } from "../../internal/app/run-service.ts";
import { SettingsError } from "../../internal/base/env.ts";
import { capacityOf } from "../../internal/capacity/capacity.ts";
import { capacityJson } from "../../internal/capacity/capacity-json.ts";
import { capacityText } from "../../internal/capacity/capacity-text.ts";
import { readWorkload, type WorkloadOptions } from "../../internal/capacity/workload.ts";

/** `heddle capacity`: a plan on paper. It needs no settings, and asks no Heddle. `exit` gets the exit code. */
export function capacityCommand(program: Command, exit: (code: number) => void): void {
  program
    .command("capacity")
    .description(
      "what so many users take: bytes, regions, programs, connections; without options the seed figures of the design",
    )
    .option("--users <count>", "people who use it on a day; 500M and 2k are read too (default: 500M)")
    .option("--messages <count>", "messages of a user a day (default: 40)")
    .option("--text <bytes>", "text of a message (default: 100)")
    .option("--peak <times>", "the busiest second beside the mean one (default: 1.45)")
    .option("--members <count>", "members of the thread that a message goes to (default: 2)")
    .option("--years <years>", "how long messages are kept (default: 5)")
    .option("--replicas <count>", "whole copies on disks (default: 3)")
    .option("--reed-solomon", "Reed-Solomon (6,3) on disks instead: 1.5 times the bytes")
    .option("--online <share>", "share of the users with a stream open, 0.2 or 20% (default: 20%)")
    .option("--opens <count>", "how often a user comes back a day (default: 10)")
    .option("--watchers <count>", "others who watch a user's presence (default: 5)")
    .option("--json", "print the plan in one line of JSON")
    .action((options: WorkloadOptions & { readonly json?: boolean }) => {
      const workload = readWorkload(options);
      if ("problems" in workload) throw new SettingsError(workload.problems.join("\n"));
      const capacity = capacityOf(workload);
      process.stdout.write(options.json ? `${capacityJson(capacity)}\n` : capacityText(capacity));
      exit(EXIT.well);
    });
}
