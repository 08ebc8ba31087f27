import type { Clock } from "../../base/clock.ts";
import type { History } from "../../base/history.ts";
import type { Logger } from "../../base/log.ts";
import type { MessageStore } from "../../store/message-store.ts";
import type { SqlThreadStore } from "../../store/sql/sql-thread-store.ts";
import type { StoreWatch } from "../../store/store-watch.ts";
import type { Backup } from "../care/backup.ts";
import type { DataFolder } from "../folder/data-folder.ts";
import type { HeddleConfig } from "../settings/config.ts";
import type { StopStack } from "../stop-stack.ts";

/** What the stores of a program are opened with. */
export interface StoresInit {
  readonly config: HeddleConfig;
  readonly folder: DataFolder;
  readonly clock: Clock;
  readonly log: Logger;
  readonly watch: (store: string) => StoreWatch;
  /** Gets a stop for each part that needs one. */
  readonly stack: StopStack;
  /** Ends the wait for a database that is away. */
  readonly stopped?: AbortSignal | undefined;
}

/** Messages and rows, wherever they are kept. */
export interface Stores {
  readonly logs: MessageStore;
  readonly rows: SqlThreadStore;
  readonly history: History;
  /** Where the data is, for people; undefined for the data folder. */
  readonly engine: string | undefined;
  /** Undefined while all stores serve, else which does not. */
  notReady(): string | undefined;
  /** Copies the data folder as it is at one moment, while all goes on. Rejects with BackupError. */
  readonly backUp: (folder: string, progress: (text: string) => void) => Promise<Backup>;
  /** Resolves to why the program has to start anew, in a sentence; never where it need not. */
  readonly over: Promise<string>;
}
