import { type Answer, type Ask, CPU_SECONDS } from "./protocol.ts";

/** Every load, by name. A load is a class whose methods the benchmark calls from its own process. */
const LOADS = {
  chat: async () => new (await import("./kinds/chat-load.ts")).ChatLoad(),
  connect: async () => new (await import("./kinds/connect-load.ts")).ConnectLoad(),
  echo: async () => new (await import("./kinds/echo-load.ts")).EchoLoad(),
  "echo-server": async () => new (await import("./kinds/echo-server.ts")).EchoServer(),
  group: async () => new (await import("./kinds/group-load.ts")).GroupLoad(),
  history: async () => new (await import("./kinds/history-load.ts")).HistoryLoad(),
  idle: async () => new (await import("./kinds/idle-load.ts")).IdleLoad(),
  presence: async () => new (await import("./kinds/presence-load.ts")).PresenceLoad(),
};

/** The loads by name, each as the class whose methods may be called; `load-process.ts` calls them from the benchmark. */
export type LoadKinds = { [K in keyof typeof LOADS]: Awaited<ReturnType<(typeof LOADS)[K]>> };

const load = LOADS[process.argv[2] as keyof typeof LOADS]() as Promise<unknown>;

process.on("message", async ({ id, method, args }: Ask) => {
  let answer: Answer;
  try {
    answer = { id, value: await call(method, args) };
  } catch (error) {
    answer = { id, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.send?.(answer);
});
process.on("disconnect", () => process.exit(0)); // The benchmark has gone.

/** Carries out one ask. Loads are imported late, so that a process has only its own in memory. */
async function call(method: string, args: readonly unknown[]): Promise<unknown> {
  if (method === CPU_SECONDS) {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }
  const methods = (await load) as Record<string, (...args: unknown[]) => unknown>;
  if (!methods[method]) throw new TypeError(`the load has no method ${method}`);
  return await methods[method](...args);
}
