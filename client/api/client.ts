/** The public shape of a client; heddle-client.ts makes one. */
import type { Clock } from "../../internal/base/clock.ts";
import type { Digest } from "../model/digest.ts";
import type {
  ClientEvent,
  ConnectionState,
  Device,
  Entry,
  Lost,
  MemberPage,
  OutboxItem,
  Presence,
  Profile,
  Receipt,
  Role,
  SendState,
  Thread,
  UserPage,
  Visibility,
} from "../model/model.ts";
import type { Send } from "../outbox/send.ts";
import type { Storage } from "../storage/storage.ts";
import type { Credentials } from "../stream/tokens.ts";
import type { Transport } from "../transport/transport.ts";

/** What a client is made of. */
export interface ConnectOptions {
  /** Who signs in. 1–255 visible ASCII characters; case counts. */
  readonly userId: string;
  /** Names this installation, the same at every start. 1–128 of `[A-Za-z0-9._-]`. */
  readonly deviceId: string;
  /** grpcTransport (client/grpc) or webTransport (client/web). The client closes it, also when `connect` rejects. */
  readonly transport: Transport;
  /**
   * Gives the user token. It may reject: with a HeddleError UNAUTHENTICATED or PERMISSION_DENIED the client is
   * signed out, with anything else it tries again.
   */
  readonly credentials: Credentials;
  /** Default: memory, which forgets the outbox with the process. The client closes it, as above. */
  readonly storage?: Storage;
  /** Aborting it ends `connect`, and closes the client. */
  readonly signal?: AbortSignal;
  /** How many missed entries of one thread come as `entry` events; older ones only by `older()`. Default 1,000. */
  readonly catchUp?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** In [0, 1), for jitter. Default Math.random. */
  readonly random?: () => number;
  /** SHA-256. Default: the platform's, which answers from another thread. */
  readonly digest?: Digest;
}

/** Where a send goes: a user (direct thread, made if need be) or a thread. */
export type Target = { readonly to: string } | { readonly threadId: string };

/**
 * One thread, as a person looks at it. Get it from the client; one object per thread. What it shows it reads when it is
 * asked: a list that was read before stays as it was then.
 */
export interface Conversation {
  /** 32 hex digits. */
  readonly threadId: string;
  /** The other user of a direct thread. */
  readonly peer: string | undefined;
  /** The row; undefined while the thread has no entries or is not known yet. */
  readonly thread: Thread | undefined;
  /** The newest entries this device holds, ascending, without a hole but of what is `lost`. At most 5,000. */
  readonly entries: readonly Entry[];
  /** What the server has said that it lost of the thread, as far as this device has asked. Ascending. */
  readonly lost: readonly Lost[];
  /** Own sends that are not among the entries, in the order they were composed. */
  readonly pending: readonly OutboxItem[];
  /** Whether `older` may find more. */
  readonly hasOlder: boolean;
  /** How far the others have received and read, as far as it is known: none of large groups. In no order. */
  readonly receipts: readonly Receipt[];
  /** How far an own entry has got; undefined for others' entries. */
  stateOf(entry: Entry): SendState | undefined;
  /**
   * Fetches the newest page, if it is not held, and the receipts; first what is held is compared, where the server has
   * started again. Call it when a person opens the conversation. Rejects with a HeddleError where the page cannot be had,
   * and as the signal does; what is held stays.
   */
  open(signal?: AbortSignal): Promise<void>;
  /**
   * Extends `entries` downwards by up to `count` (1–200, default 50) and returns what was added, ascending; nothing where
   * the thread begins. Entries that the server has lost are left out. Rejects as `open`.
   */
  older(count?: number, signal?: AbortSignal): Promise<readonly Entry[]>;
  /** Sends a message. As Client.send. */
  send(text: string): Promise<Send>;
  /** The person has seen everything up to `seq`; default: the newest entry held. */
  markRead(seq?: number): void;
  /** Calls back after anything above changed, at most once a microtask. Returns how to stop it. */
  on(listener: () => void): () => void;
  /** The person has left it: less of it is held. */
  close(): void;
}

/**
 * Groups. Each call that changes something is repeated under one request_id until its outcome is known; it resolves to
 * the group as it is then. It rejects with a HeddleError: of a refusal (THREAD_NOT_FOUND, NOT_A_GROUP, OWNER_REQUIRED,
 * MEMBER_NOT_FOUND, LAST_OWNER, GROUP_FULL, TOO_MANY_LARGE_GROUPS, TOO_MANY_SPANS, BLOCKED), or, where after 30 s
 * nothing is certain, the last one met.
 */
export interface Groups {
  /**
   * Makes a group of this user, who owns it, and up to 255 others. A name has 1–100 characters. Asked for once more
   * after an outcome that is not known, it finds the group that the first call may have made.
   */
  create(name: string, userIds: Iterable<string>, signal?: AbortSignal): Promise<Thread>;
  /** Adds up to 256 users; any member may. Those who are members already stay as they are. */
  add(threadId: string, userIds: Iterable<string>, signal?: AbortSignal): Promise<Thread>;
  /** Removes up to 256 other members; an owner may. */
  remove(threadId: string, userIds: Iterable<string>, signal?: AbortSignal): Promise<Thread>;
  /** Ends this user's own membership. What was said until then stays readable. */
  leave(threadId: string, signal?: AbortSignal): Promise<Thread>;
  /** Gives a member a role; an owner may, and the last owner stays one. */
  setRole(threadId: string, userId: string, role: Role, signal?: AbortSignal): Promise<Thread>;
  /** Gives the group another name; any member may. */
  rename(threadId: string, name: string, signal?: AbortSignal): Promise<Thread>;
  /** A page of 200 members; `pageToken` is `nextPageToken` of the page before, which the last page lacks. */
  members(threadId: string, pageToken?: string, signal?: AbortSignal): Promise<MemberPage>;
}

/** The users that this one has blocked. Errors as of Groups. */
export interface Blocks {
  /**
   * Blocks the direct thread with a user: neither can send in it, or see the other's presence through it. In force when
   * it resolves.
   */
  block(userId: string, signal?: AbortSignal): Promise<Thread>;
  /** Takes it back. */
  unblock(userId: string, signal?: AbortSignal): Promise<Thread>;
  /** A page of 200 users; `pageToken` is `nextPageToken` of the page before, which the last page lacks. */
  list(pageToken?: string, signal?: AbortSignal): Promise<UserPage>;
}

/**
 * A signed-in device. It keeps itself connected, holds what was missed to be pulled, and keeps sends until their
 * outcome is known. Lists are snapshots that change with the events.
 *
 * What asks the server rejects with a HeddleError, whose `reason` docs/errors.md explains, as its signal does, and when
 * the client is closed. Where it is not known whether a change was made, asking again is safe. Ids of the wrong form are
 * refused with INVALID_ARGUMENT before anybody is asked.
 */
export interface Client {
  readonly userId: string;
  readonly deviceId: string;
  /** Whether there is a connection, and if not, why and when it is tried again. */
  readonly state: ConnectionState;
  readonly groups: Groups;
  readonly blocks: Blocks;
  /** Resolves when the client is first live; rejects when it is signed out, closed, or as the signal does. */
  ready(signal?: AbortSignal): Promise<void>;
  /**
   * Resolves when `threads()` is what the server has, for a program that shows it once: what is held was compared, where
   * the server has started again, and the 50 newest threads have their last entry. What cannot be had now is not waited
   * for. Call it when the client is live. Rejects as the signal does.
   */
  settled(signal?: AbortSignal): Promise<void>;
  /** Threads with entries, the most recent first. */
  threads(): readonly Thread[];
  /** A conversation by thread, known to this device or not. Asks nobody. Throws INVALID_ARGUMENT. */
  conversation(threadId: string): Conversation;
  /** The conversation with a user, whether it exists yet or not. Asks nobody. */
  direct(userId: string): Promise<Conversation>;
  /**
   * Keeps the message in the outbox and resolves once it is safe there; sending goes on by itself, also after a
   * restart. Sends of one thread keep the order of the calls, awaited or not. Rejects with INVALID_ARGUMENT for a text of
   * 0 or more than 32,768 bytes or a wrong target, with THREAD_NOT_FOUND for a group that this user has left, and with
   * RESOURCE_EXHAUSTED when 1,000 sends are waiting.
   */
  send(target: Target, text: string): Promise<Send>;
  /** Sends that are not sent yet, failed ones among them, in the order they were composed. */
  outbox(): readonly OutboxItem[];
  /** Sends a failed one again, as a new send at the end of the thread. Rejects as `send`, and then it stays. */
  retry(clientId: string): Promise<Send>;
  /** Forgets a failed one. Rejects, and does not, if storage cannot. */
  discard(clientId: string): Promise<void>;
  /** The person has seen everything up to `seq`. Kept until the server has confirmed it. */
  markRead(threadId: string, seq: number): void;
  /** Turns notifications of a thread off or on, on all devices of this user. Tried once. Resolves to the row as it is then. */
  setMuted(threadId: string, isMuted: boolean, signal?: AbortSignal): Promise<Thread>;
  /** The user's devices that are signed in, the last used first: at most 100, of which a new one drops the longest unused. */
  devices(signal?: AbortSignal): Promise<readonly Device[]>;
  /** Signs a device of the user's out, for ever: within 5 s its streams end. Rejects with DEVICE_NOT_FOUND. */
  revokeDevice(deviceId: string, signal?: AbortSignal): Promise<void>;
  /**
   * Says who is on screen, at most 100 users: their presence is up to date from then on. Replaces the set before; kept
   * through reconnects. Throws INVALID_ARGUMENT.
   */
  watch(userIds: Iterable<string>): void;
  /**
   * Whether a user is there: of those who are watched as it is, of users of recent chats as it was some minutes ago.
   * Undefined where that is not known: no connection, or not to be seen by this user.
   */
  presence(userId: string): Presence | undefined;
  /**
   * What a user is called and looks like, to be shown beside or instead of the id. Undefined while that is not known: it
   * is asked for then, and an event says it. Kept up to date with each sync, for the 1,000 users last asked for.
   */
  profile(userId: string): Profile | undefined;
  /** Of several users, asked for now where it is not known. Users about which nothing is known are left out. */
  profiles(userIds: Iterable<string>, signal?: AbortSignal): Promise<ReadonlyMap<string, Profile>>;
  /**
   * Sets this user's own; what is left out is empty from then on. Tried once. Rejects with PROFILE_IS_GIVEN where names
   * come from the identity provider alone.
   */
  setProfile(
    profile: { readonly displayName?: string | undefined; readonly pictureUrl?: string | undefined },
    signal?: AbortSignal,
  ): Promise<Profile>;
  /** Who sees this user's presence. */
  visibility(signal?: AbortSignal): Promise<Visibility>;
  /** Sets it; in force when it resolves. Tried once. */
  setVisibility(visibility: Visibility, signal?: AbortSignal): Promise<Visibility>;
  /** The person is writing in a thread. Call it with every key: one in 3 s is said, if there is a connection. */
  typing(threadId: string): void;
  /** The other users who are writing in a thread just now. */
  typists(threadId: string): readonly string[];
  /** Calls back with every event, in order, synchronously. Returns how to stop it. */
  on(listener: (event: ClientEvent) => void): () => void;
  /** Every event from the moment of the call. Ends with the client or the signal. Holds 4,096 events, then `behind_all`. */
  events(signal?: AbortSignal): AsyncIterable<ClientEvent>;
  /** The person is back: try at once if offline, and compare with the server. */
  foreground(): void;
  /** Ends streams, writes what is to be kept. Sends in the outbox stay there. */
  close(): Promise<void>;
}
