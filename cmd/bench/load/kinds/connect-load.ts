import { ChatClient } from "../clients/chat-client.ts";
import type { CrowdOptions } from "../clients/crowd.ts";
import { ClosedLoop } from "../pace/closed-loop.ts";
import { GrpcConnection } from "../wire/grpc-connection.ts";

/** Clients that come, catch up, and go at once, each on a fresh TCP connection, `atOnce` of them at a time. */
export class ConnectLoad extends ClosedLoop {
  start({ grpcUrl, users, atOnce }: CrowdOptions): void {
    let next = 0;
    const comeAndGo = async () => {
      const user = users[next++ % users.length];
      if (!user) throw new Error("nobody is to connect");
      // A fresh one each time, as a client has that lost its server.
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
