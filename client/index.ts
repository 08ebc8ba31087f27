/**
 * The client library of Heddle, `@heddle/client`. Browser-safe: node.ts and browser.ts add transports and storages, as
 * `@heddle/client/node` and `@heddle/client/browser`. See README.md.
 */
export { Code, ErrorReason, HeddleError } from "../internal/base/heddle-error.ts";
export { changeText } from "./api/change-text.ts";
export type {
  Blocks,
  Client,
  ConnectOptions,
  Conversation,
  Groups,
  Target,
} from "./api/client.ts";
export { connect } from "./api/heddle-client.ts";
export { agoText, presenceText } from "./api/presence-text.ts";
export { isAbsence, lostBefore } from "./model/absence.ts";
export type {
  ClientEvent,
  ConnectionReason,
  ConnectionState,
  Device,
  Entry,
  EntryBody,
  Head,
  Lost,
  Member,
  MemberChange,
  MemberPage,
  OutboxItem,
  Presence,
  Profile,
  Receipt,
  Role,
  SendState,
  SettingChange,
  Span,
  Thread,
  UserPage,
  Visibility,
} from "./model/model.ts";
export type { Send } from "./outbox/send.ts";
export { MemoryStorage } from "./storage/memory-storage.ts";
export type { Change, Json, Storage } from "./storage/storage.ts";
export type { Credentials } from "./stream/tokens.ts";
export type { CallOptions, Permit, Stream, StreamOptions, Transport } from "./transport/transport.ts";
export { asError as asHeddleError } from "./transport/wire.ts";
