import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { HeddleConfig } from "../../internal/app/config.ts";
import { openDataFolder } from "../../internal/app/data-folder.ts";
import { EXIT } from "../../internal/app/run-service.ts";
import type { Verification } from "../../internal/app/verify.ts";
import { SettingsError } from "../../internal/base/env.ts";
import { localUrl } from "../../internal/rpc/listen-address.ts";

/** The commands `heddle admin …`, for whoever keeps a Heddle running. `exit` gets their exit codes. */
export function adminCommands(
  program: Command,
  config: () => HeddleConfig,
  exit: (code: number) => void,
): void {
  const admin = program.command("admin").description("keep a Heddle well");
  admin
    .command("status")
    .description("say whether it serves: exit code 0 if it does, 1 if not, 3 if nothing answers")
    .action(async () => exit(await status(config())));
  admin
    .command("verify")
    .description(
      "look for damage in a data folder that nothing uses: exit code 0 if there is none, 1 if there is",
    )
    .option("--json", "print what was found in one line of JSON")
    .action(async (options: { json?: boolean }) => exit(await verify(config(), options.json === true)));
}

async function status({ adminAddress }: HeddleConfig): Promise<number> {
  const url = `${localUrl(adminAddress, adminAddress.port)}/readyz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    process.stdout.write(await response.text());
    return response.ok ? EXIT.well : EXIT.failed;
  } catch {
    process.stderr.write(`heddle: nothing answers at ${url}: start Heddle, or set HEDDLE_ADMIN_ADDR\n`);
    return EXIT.dependencyAway;
  }
}

async function verify({ dataDir }: HeddleConfig, asJson: boolean): Promise<number> {
  if (!existsSync(dataDir)) throw new SettingsError(`${dataDir} is not there: set HEDDLE_DATA_DIR`);
  const { verifyFolder } = await import("../../internal/app/verify.ts");
  const progress = progressLine();
  const found = await verifyFolder(await openDataFolder(dataDir), progress.say);
  progress.end();
  process.stdout.write(asJson ? `${verificationJson(found)}\n` : verificationText(dataDir, found));
  return found.problems.length === 0 ? EXIT.well : EXIT.failed;
}

function verificationJson({ problems, remarks, files, threads, entries }: Verification): string {
  return JSON.stringify({ type: "verify", problems, remarks, files, threads, entries });
}

function verificationText(dataDir: string, found: Verification): string {
  const { problems, remarks, files, threads, entries } = found;
  const lines = [
    ...remarks.map(({ where, what }) => `remark   ${where}: ${what}`),
    ...problems.map(({ where, what }) => `PROBLEM  ${where}: ${what}`),
    `${dataDir}: looked at ${files} files, ${threads} threads, ${entries} entries; ` +
      (problems.length === 0
        ? "all is well"
        : `${problems.length} problems: put a backup of the whole folder in its place (docs/backup.md)`),
  ];
  return `${lines.join("\n")}\n`;
}

/** How far a long command has come, on a terminal, at most ten times a second. */
export function progressLine(): { readonly say: (text: string) => void; end(): void } {
  const { isTTY } = process.stderr;
  let saidAtMs = 0;
  return {
    say: (text) => {
      if (!isTTY || performance.now() - saidAtMs < 100) return;
      saidAtMs = performance.now();
      process.stderr.write(`\r\x1b[K${text}`);
    },
    end: () => {
      if (isTTY) process.stderr.write("\r\x1b[K");
    },
  };
}
