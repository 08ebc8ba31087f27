/** Where the echo answers. In a file of its own, so that a load need not bring up grpc-js. */
export const ECHO = "/bench.Echo/Echo";
