import { readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Plugin } from "vite";
import { descriptorsAsData, withoutText } from "./lean-protobuf.ts";

const folder = import.meta.dirname;
const generated = join(folder, "../../internal/gen/");
const generatedForBrowsers = join(folder, "../../internal/gen-web/");

/** All scripts of the page together, gzipped, connect-web and protobuf included. */
export const BUDGET_BYTES = 60 * 1024;

/**
 * Builds the page into a folder, which is replaced only by a page that is complete and within its budget. Takes about
 * a second. Throws an Error that names the bytes if the scripts are larger than BUDGET_BYTES. Returns their size.
 */
export async function buildPage(outDir: string = join(folder, "dist")): Promise<number> {
  const part = join(dirname(outDir), ".cache", basename(outDir));
  await build({
    configFile: false,
    root: folder,
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    resolve: { alias: { "uc.micro": join(folder, "characters.ts") } },
    plugins: [generatedCodeForBrowsers(), withoutText(), descriptorsAsData()],
    build: {
      outDir: part,
      emptyOutDir: true,
      target: "baseline-widely-available",
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      reportCompressedSize: false,
    },
  });
  const bytes = scriptBytes(part);
  if (bytes > BUDGET_BYTES) {
    rmSync(part, { recursive: true });
    throw new Error(`the page's scripts have ${bytes} bytes gzipped, and ${BUDGET_BYTES} are its budget`);
  }
  rmSync(outDir, { recursive: true, force: true });
  renameSync(part, outDir);
  return bytes;
}

/**
 * What the page shares with servers imports `internal/gen`; the page takes the same messages from `internal/gen-web`,
 * which leaves out the validation rules (13 KB gzipped), so that each is there once.
 */
function generatedCodeForBrowsers(): Plugin {
  return {
    name: "generated-code-for-browsers",
    enforce: "pre",
    async resolveId(source, importer, options) {
      if (!source.endsWith("_pb.js")) return null;
      const found = await this.resolve(source, importer, { ...options, skipSelf: true });
      if (!found?.id.startsWith(generated)) return found;
      return found.id.replace(generated, generatedForBrowsers);
    },
  };
}

function scriptBytes(outDir: string): number {
  const names = readdirSync(outDir, { recursive: true, encoding: "utf8" });
  const scripts = names.filter((name) => name.endsWith(".js"));
  return scripts.reduce(
    (sum, name) => sum + gzipSync(readFileSync(join(outDir, name)), { level: 9 }).length,
    0,
  );
}

if (import.meta.main) {
  try {
    const bytes = await buildPage();
    console.log(`page: ${(bytes / 1024).toFixed(1)} KB of scripts gzipped, of ${BUDGET_BYTES / 1024}`);
  } catch (error) {
    console.error(`page: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
