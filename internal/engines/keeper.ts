import { type ChildProcess, spawn } from "node:child_process";

/**
 * Reads "+ PID SIGNAL", "- PID" and "f FOLDER". When its input ends, because this process ended in whichever way, it sends
 * the signals to the process groups that are left, kills those that stay for 5 s, and removes the folders.
 */
const KEEP = `kept=" "; folders=""; newline='
'
while read -r what first second; do
  case $what in
    +) kept="$kept$first:$second " ;;
    -) kept=$(printf %s "$kept" | sed "s/ $first:[A-Z]* / /") ;;
    f) folders="$folders$first\${second:+ $second}$newline" ;;
  esac
done
for one in $kept; do kill -s "\${one#*:}" -- "-\${one%:*}" 2>/dev/null; done
for one in $kept; do
  tries=0
  while kill -s 0 -- "-\${one%:*}" 2>/dev/null && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -s KILL -- "-\${one%:*}" 2>/dev/null
done
printf %s "$folders" | while read -r folder; do rm -rf "$folder"; done`;

let keeper: ChildProcess | undefined;

/**
 * Lets a process group, led by `pid`, end with this process however that ends: by an error, Ctrl-C or kill -9. One shell
 * does it for all. Call the result when the group has ended.
 */
export function endsWithThisProcess(pid: number, signal: "KILL" | "INT" | "QUIT" | "TERM"): () => void {
  tellKeeper(`+ ${pid} ${signal}`);
  return () => tellKeeper(`- ${pid}`);
}

/** Lets a folder of a test be removed when this process has ended, and after it all that was started. */
export function removedWithThisProcess(folder: string): void {
  tellKeeper(`f ${folder}`);
}

function tellKeeper(line: string): void {
  keeper ??= startKeeper();
  keeper.stdin?.write(`${line}\n`);
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
