import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const protoRoot = join(import.meta.dirname, "../../../proto");

const grpcurlVersion = "1.9.3";
const grpcioVersion = "1.85.1";
const protobufVersion = "7.36.2";

/**
 * The path of grpcurl, built by Go into the cache the first time (1 to 4 minutes).
 * Throws an error that says how to get it when Go is missing.
 */
export async function grpcurl(): Promise<string> {
  const folder = await cached(`grpcurl-${grpcurlVersion}`, "grpcurl", async (target) => {
    const env = { ...process.env, GOBIN: target };
    const source = `github.com/fullstorydev/grpcurl/cmd/grpcurl@v${grpcurlVersion}`;
    await runOrExplain("go", ["install", source], "install Go 1.24 or newer (https://go.dev)", env);
  });
  return join(folder, "grpcurl");
}

/**
 * The Python interpreter of a virtual environment with grpcio and grpcio-tools, made in the cache the first time
 * (7 s). Throws an error that says how to get it when Python or its venv module is missing.
 */
export async function python(): Promise<string> {
  const interpreter = "bin/python";
  const folder = await cached(`python-grpcio-${grpcioVersion}`, interpreter, async (target) => {
    const advice = "install Python 3.10 or newer with its venv module (Debian: python3-venv)";
    await runOrExplain("python3", ["-m", "venv", target], advice);
    const pinned = [
      `grpcio==${grpcioVersion}`,
      `grpcio-tools==${grpcioVersion}`,
      `protobuf==${protobufVersion}`,
    ];
    // Through the interpreter: pip's own script keeps the path of the temporary folder.
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...pinned];
    await runOrExplain(join(target, interpreter), pip, "pip needs its package index within reach");
  });
  return join(folder, interpreter);
}

/**
 * A folder for PYTHONPATH with Python stubs of everything in `proto/`, generated once for each state of the schema.
 * Left out is `grpc/`: the package grpcio owns that name in Python (grpcio-health-checking has the health stubs).
 */
export async function pythonStubs(): Promise<string> {
  const interpreter = await python();
  const all = await readdir(protoRoot, { recursive: true });
  const files = all.filter((path) => path.endsWith(".proto") && !path.startsWith("grpc/")).sort();
  const hash = createHash("sha256").update(grpcioVersion);
  for (const path of files) hash.update(`\0${path}\0`).update(await readFile(join(protoRoot, path)));
  const name = `python-stubs-${hash.digest("hex").slice(0, 16)}`;
  return await cached(name, "buf/validate/validate_pb2.py", async (target) => {
    const protoc = ["-m", "grpc_tools.protoc", `-I${protoRoot}`];
    const outputs = [`--python_out=${target}`, `--grpc_python_out=${target}`];
    await runOrExplain(interpreter, [...protoc, ...outputs, ...files], "the schema does not compile");
  });
}

/** The path of a Chromium or Chrome: CHROMIUM_BIN, or the first one installed. Throws when there is none. */
export async function chromium(): Promise<string> {
  const named = process.env.CHROMIUM_BIN;
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`CHROMIUM_BIN is ${named}, and no such file exists`);
  }
  const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = places.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    "no browser: install chromium (Debian: apt-get install chromium) or name one in CHROMIUM_BIN",
  );
}

const underWay = new Map<string, Promise<string>>();

/**
 * A folder of the cache, `$HEDDLE_CACHE_DIR` or `~/.cache/heddle`, filled by `fill` if `witness` is not in it.
 * It is filled under another name and renamed when complete, so that an interrupted run leaves nothing half-built
 * in its place, and of two runs at once the first to finish wins and both return a complete folder.
 */
export function cached(
  name: string,
  witness: string,
  fill: (target: string) => Promise<void>,
): Promise<string> {
  const folder = join(process.env.HEDDLE_CACHE_DIR || join(homedir(), ".cache/heddle"), name);
  const running = underWay.get(folder);
  if (running) return running;
  const filled = fillOnce(folder, witness, fill).finally(() => underWay.delete(folder));
  underWay.set(folder, filled);
  return filled;
}

async function fillOnce(
  folder: string,
  witness: string,
  fill: (target: string) => Promise<void>,
): Promise<string> {
  const complete = () => existsSync(join(folder, witness));
  if (complete()) return folder;
  const target = `${folder}.part-${randomUUID()}`;
  await mkdir(target, { recursive: true });
  try {
    await fill(target);
    if (!existsSync(join(target, witness))) throw new Error(`${name(folder)} was built without ${witness}`);
    // Without its witness (the machine's Python was replaced, say) an old folder would stand in the way.
    if (!complete()) await rm(folder, { recursive: true, force: true });
    await rename(target, folder);
  } catch (error) {
    if (!complete()) throw error;
  } finally {
    await rm(target, { recursive: true, force: true });
  }
  return folder;
}

function name(folder: string): string {
  return folder.slice(dirname(folder).length + 1);
}

async function runOrExplain(
  command: string,
  args: readonly string[],
  advice: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  try {
    await run(command, args, { env, maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    throw new Error(`${command} ${args.slice(0, 3).join(" ")} failed; ${advice}`, { cause });
  }
}
