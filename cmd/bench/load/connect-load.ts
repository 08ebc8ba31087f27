import { ChatClient } from "./chat-client.ts";
import { ClosedLoop } from "./closed-loop.ts";
import type { CrowdOptions } from "./crowd.ts";
import { GrpcConnection } from "./grpc-connection.ts";

/** Clients that come, catch up, and go at once, each on a fresh TCP connection, `atOnce` of them at a time. */
export class ConnectLoad extends ClosedLoop {
  start({ grpcUrl, users, atOnce }: CrowdOptions): void {
    let next = 0;
    const comeAndGo = async () => {
      const user = users[next++ % users.length];
      if (!user) throw new Error("nobody is to connect");
      const connection = new GrpcConnection(grpcUrl);
      try {
        await new ChatClient(
          { ...user, gateway: connection, push: connection },
          { onTrouble: () => {} },
        ).open();
      } finally {
        connection.close();
      }
    };
    this.begin(Array.from({ length: atOnce }, () => comeAndGo));
  }
}
