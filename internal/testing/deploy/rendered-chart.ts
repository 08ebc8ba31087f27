import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { helm, KUBERNETES, readYaml } from "./deploy-tools.ts";

export const CHART = join(import.meta.dirname, "../../../helm/heddle");

/** The value files of helm/heddle/examples. */
export const EXAMPLES = ["small", "production", "hbase"] as const;
export type Example = (typeof EXAMPLES)[number];

/** What the tests look at of a Kubernetes object. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas?: number;
    readonly ports?: readonly { readonly port: number }[];
    readonly template: { readonly spec: PodSpec };
  };
}

export interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: { readonly runAsNonRoot: boolean; readonly runAsUser: number };
  readonly topologySpreadConstraints: readonly unknown[];
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
}

export interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly securityContext: {
    readonly readOnlyRootFilesystem: boolean;
    readonly allowPrivilegeEscalation: boolean;
  };
}

/** The chart as rendered for an example. */
export class RenderedChart {
  readonly example: Example;
  readonly objects: readonly KubernetesObject[];

  private constructor(example: Example, objects: readonly KubernetesObject[]) {
    this.example = example;
    this.objects = objects;
  }

  /** Renders all examples into a folder and holds them to the schemas: rejects with what is wrong. */
  static async renderAll(folder: string): Promise<readonly RenderedChart[]> {
    const paths = await Promise.all(
      EXAMPLES.map(async (example) => {
        const path = join(folder, `${example}.yaml`);
        await writeFile(path, await RenderedChart.render(example));
        return path;
      }),
    );
    const files = (await readYaml(paths, "kubernetes")) as KubernetesObject[][];
    return EXAMPLES.map((example, at) => new RenderedChart(example, files[at] ?? []));
  }

  /** What `helm template` prints, of a release named chat. Rejects with helm's words. */
  static render(example: Example, ...more: readonly string[]): Promise<string> {
    const values = join(CHART, "examples", `${example}.yaml`);
    // A helm that was built from source takes the cluster for an old one.
    const release = ["chat", CHART, "--namespace", "chat", "--kube-version", KUBERNETES];
    return helm("template", ...release, "--values", values, ...more);
  }

  of(kind: string): readonly KubernetesObject[] {
    return this.objects.filter((object) => object.kind === kind);
  }

  /** The pods of a component: a service's word, or `edge`. */
  pods(component: string): PodSpec {
    const found = this.of("Deployment").find(
      ({ metadata }) => metadata.labels["app.kubernetes.io/component"] === component,
    );
    if (!found) throw new Error(`the chart has no pods of ${component}`);
    return found.spec.template.spec;
  }

  /** The environment of a program, as its first pod would have it; paths below `/etc/heddle` lead to `etc`. */
  environment(component: string, etc: string): Record<string, string> {
    const fromPod: Record<string, string> = {
      HEDDLE_NAME: `chat-${component}-7d9f8b6c5d-x2x4k`,
      HEDDLE_ADVERTISE_HOST: "10.0.0.7",
    };
    const { env } = this.pods(component).containers[0];
    return Object.fromEntries(
      env.map(({ name, value }) => [name, (value ?? fromPod[name] ?? "").replace("/etc/heddle", etc)]),
    );
  }
}
