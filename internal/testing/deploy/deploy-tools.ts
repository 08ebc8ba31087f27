import { join } from "node:path";
import { cached } from "../../engines/install/cached.ts";
import { runTool } from "../../engines/install/run-tool.ts";

const HELM_VERSION = "3.22.0";
const VALIDATE_VERSION = "1.37.0";
/** The Kubernetes whose schemas objects are held to: the newest that the package has. */
export const KUBERNETES = "1.37";

const SCRIPT = join(import.meta.dirname, "read-manifests.py");

/** The path of helm: HELM_BIN if it is set, else built by Go, once for each version: one to four minutes. */
async function helmBinary(): Promise<string> {
  if (process.env.HELM_BIN) return process.env.HELM_BIN;
  const folder = await cached(`helm-${HELM_VERSION}`, "helm", async (target) => {
    const module = `helm.sh/helm/v3/cmd/helm@v${HELM_VERSION}`;
    const env = { ...process.env, GOBIN: target, GOTOOLCHAIN: "local", GOFLAGS: "-trimpath" };
    await runTool("go", ["install", "-ldflags=-s -w", module], "install Go 1.26 or newer, or set HELM_BIN", {
      env,
    });
  });
  return join(folder, "helm");
}

/** Runs helm. Rejects with ToolError, helm's words in it. Returns what it printed. */
export async function helm(...args: readonly string[]): Promise<string> {
  return await runTool(await helmBinary(), args, "set HELM_BIN to helm's program");
}

/** The package kubernetes-validate with all it needs; PyYAML is among that. */
function pythonPackages(): Promise<string> {
  return cached(`kubernetes-validate-${VALIDATE_VERSION}`, "kubernetes_validate", async (target) => {
    const args = ["-m", "pip", "install", "--quiet", "--target", target];
    await runTool(
      "python3",
      [...args, `kubernetes-validate==${VALIDATE_VERSION}`],
      "install Python 3 with pip",
    );
  });
}

/**
 * The objects of YAML files, a list for each file. As Kubernetes' each is held to its schema, unknown fields too: rejects
 * with what is wrong, an object a line.
 */
export async function readYaml(paths: readonly string[], kind: "kubernetes" | "any"): Promise<unknown[][]> {
  const env = { ...process.env, PYTHONPATH: await pythonPackages(), PYTHONDONTWRITEBYTECODE: "1" };
  const how = kind === "kubernetes" ? `--kubernetes=${KUBERNETES}` : "--any";
  return JSON.parse(await runTool("python3", [SCRIPT, how, ...paths], "install Python 3 with pip", { env }));
}

/** Builds and installs what is missing, so that no test waits for it. */
export async function installDeployTools(): Promise<void> {
  await Promise.all([helmBinary(), pythonPackages()]);
}
