import { type ChildProcess, spawn } from "node:child_process";

/**
 * Reads "+ PID SIGNAL" and "- PID". When its input ends, because this process ended in whichever way, it sends the signals
 * to the process groups that are left.
 */
const KEEP = `kept=" "
while read -r what pid signal; do
  case $what in
    +) kept="$kept$pid:$signal " ;;
    -) kept=$(printf %s "$kept" | sed "s/ $pid:[A-Z0-9]* / /") ;;
  esac
done
for one in $kept; do kill -s "\${one#*:}" -- "-\${one%:*}" 2>/dev/null; done`;

let keeper: ChildProcess | undefined;

/**
 * Lets a process group, led by `pid`, end with this process however that ends: by an error, Ctrl-C or kill -9. One shell
 * does it for all. Call the result when the group has ended.
 */
export function endsWithThisProcess(pid: number, signal: "KILL" | "INT" | "QUIT" | "TERM"): () => void {
  keeper ??= startKeeper();
  keeper.stdin?.write(`+ ${pid} ${signal}\n`);
  return () => keeper?.stdin?.write(`- ${pid}\n`);
}

function startKeeper(): ChildProcess {
  // Detached: Ctrl-C, which reaches the whole group in front of a terminal, must not end it before us.
  const child = spawn("/bin/sh", ["-c", KEEP], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.on("error", () => {}); // No shell, no keeper: what is started must then be stopped in order.
  child.stdin.on("error", () => {});
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}
