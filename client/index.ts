/** The client library of Heddle. Browser-safe; transports are in client/grpc and client/web. See README.md. */
export { Code, ErrorReason, HeddleError } from "../internal/base/heddle-error.ts";
export { changeText } from "./change-text.ts";
export type {
  Blocks,
  Client,
  ConnectOptions,
  Conversation,
  Credentials,
  Groups,
  Send,
  Target,
} from "./client.ts";
export { connect } from "./heddle-client.ts";
export { MemoryStorage } from "./memory-storage.ts";
export type {
  ClientEvent,
  ConnectionReason,
  ConnectionState,
  Device,
  Entry,
  EntryBody,
  Head,
  Member,
  MemberChange,
  MemberPage,
  OutboxItem,
  Presence,
  Receipt,
  Role,
  SendState,
  SettingChange,
  Thread,
  UserPage,
  Visibility,
} from "./model.ts";
export { agoText, presenceText } from "./presence-text.ts";
export type { Change, Json, Storage } from "./storage.ts";
export type { CallOptions, Permit, Stream, StreamOptions, Transport } from "./transport.ts";
export { asError as asHeddleError } from "./wire.ts";
