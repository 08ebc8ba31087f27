import { renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Plugin, type Rolldown } from "vite";
import { byTheBrowser, descriptorsAsData, withoutText } from "./build/lean-protobuf.ts";

const folder = import.meta.dirname;

/** The scripts that stand between a person and the chats, gzipped, connect-web and protobuf included. */
export const FIRST_BYTES = 68 * 1024;
/** All scripts: also what comes later, for groups, settings and links in texts. */
export const ALL_BYTES = 78 * 1024;

/** What the page's scripts weigh, in bytes, each gzipped by itself: that is how a server sends them. */
export interface PageSize {
  /** What must be there before the first chat is shown. */
  readonly first: number;
  readonly all: number;
}

/**
 * Builds the page into a folder, which is replaced only by a page that is complete and within its budgets. Takes about
 * a second. Throws an Error that names the bytes if the scripts are larger than FIRST_BYTES or ALL_BYTES.
 */
export async function buildPage(outDir: string = join(folder, "dist")): Promise<PageSize> {
  // Beside the page that is served: a build that fails leaves that one as it is.
  const part = join(dirname(outDir), ".cache", basename(outDir));
  const result = await build({
    configFile: false,
    root: folder,
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    // A table of linkify-it's, in place of which the browser is asked.
    resolve: { alias: { "uc.micro": join(folder, "build/characters.ts") } },
    plugins: [withoutPreload(), withoutText(), byTheBrowser(), descriptorsAsData()],
    build: {
      outDir: part,
      emptyOutDir: true,
      target: "baseline-widely-available",
      modulePreload: false,
      // The content security policy lets no `data:` in.
      assetsInlineLimit: 0,
      reportCompressedSize: false,
    },
  });
  const size = sizeOf([result].flat().flatMap((each) => ("output" in each ? each.output : [])));
  for (const [bytes, most, which] of [
    [size.first, FIRST_BYTES, "first scripts"],
    [size.all, ALL_BYTES, "scripts"],
  ] as const) {
    if (bytes <= most) continue;
    rmSync(part, { recursive: true });
    throw new Error(`the page's ${which} have ${bytes} bytes gzipped, and ${most} are their budget`);
  }
  rmSync(outDir, { recursive: true, force: true });
  renameSync(part, outDir);
  return size;
}

/**
 * What Vite puts around each import that comes later fetches that script's own imports and styles ahead: here these are
 * the first script and the one style sheet, which are there (0.6 KB gzipped).
 */
function withoutPreload(): Plugin {
  return {
    name: "without-preload",
    enforce: "pre",
    load: (id) =>
      id.endsWith("vite/preload-helper.js") ? "export const __vitePreload = (load) => load();" : null,
  };
}

/** First is the script that index.html names, with all that it imports before it runs. */
function sizeOf(output: readonly (Rolldown.OutputChunk | Rolldown.OutputAsset)[]): PageSize {
  const scripts = new Map(
    output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file] as const] : [])),
  );
  const first = new Set<string>();
  const add = (name: string) => {
    if (first.has(name)) return;
    first.add(name);
    scripts.get(name)?.imports.forEach(add);
  };
  for (const script of scripts.values()) if (script.isEntry) add(script.fileName);
  const bytes = (names: Iterable<string>) =>
    [...names].reduce((sum, name) => sum + gzipSync(scripts.get(name)?.code ?? "", { level: 9 }).length, 0);
  return { first: bytes(first), all: bytes(scripts.keys()) };
}

const kilobytes = (bytes: number) => (bytes / 1024).toFixed(1);

if (import.meta.main) {
  try {
    const { first, all } = await buildPage();
    const later = `${kilobytes(all)} with what comes later, of ${ALL_BYTES / 1024}`;
    console.log(`page: ${kilobytes(first)} KB of scripts gzipped, of ${FIRST_BYTES / 1024}; ${later}`);
  } catch (error) {
    console.error(`page: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
