import { Client, type ClientConfig } from "pg";

/**
 * The one kind of connection that this folder opens. A connection may break at any moment, also while no query is under way:
 * pg then emits `error`, which ends the program where nobody listens (pg-pool listens while the connection is idle only). So
 * somebody listens from its first moment to its last. Who uses it is told by the query under way, or by the next one.
 */
export class PostgresClient extends Client {
  constructor(config?: ClientConfig) {
    super(config);
    this.on("error", () => {});
  }
}
