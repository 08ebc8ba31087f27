import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import pino, { type DestinationStream, type Logger } from "pino";
import { hex } from "./ids.ts";

export type { Logger };

/** Levels that HEDDLE_LOG_LEVEL takes, the most silent first. */
export const LOG_LEVELS = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

const REDACTED = "[redacted]";
const MAX_DEPTH = 6;
const SECRET_KEYS =
  /^(authorization|cookie|tokens?|ticket|password|secret|body|text|frames?|message_body|jwt)$/i;
const JWT = /\beyJ[\w-]{4,}\.[\w-]+(\.[\w-]*)?/g;

/**
 * The program's log: JSON lines on stderr unless another destination is given. Whatever is handed to it is redacted
 * first: values under keys that name a credential or a body, anything in a text that looks like a JWT, and bytes
 * longer than an id. That is a net, not a licence: messages of the contract go through `loggable`.
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly destination?: DestinationStream;
}): Logger {
  const config = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (value: unknown) => value }, // Errors are made plain, and redacted, in formatters.log.
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => redactFields(fields, 0),
    },
  };
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true });
  // Whole lines pass here, whichever way their parts went.
  return pino(config, { write: (line) => destination.write(redactText(line)) });
}

/** A message of the contract as plain data for a log: fields marked `debug_redact` are left out, bytes are hex. */
export function loggable<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
): Record<string, unknown> {
  return loggableMessage(reflect(schema, message));
}

function loggableMessage(message: ReflectMessage): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const field of message.fields) {
    if (field.proto.options?.debugRedact || !message.isSet(field)) continue;
    fields[field.name] = loggableValue(message.get(field));
  }
  return fields;
}

function loggableValue(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return bytesText(value);
  if (typeof value !== "object" || value === null) return value;
  if ("fields" in value && "desc" in value) return loggableMessage(value as ReflectMessage);
  if ("mapKey" in value || Symbol.iterator in value) {
    return Array.from(value as Iterable<unknown>, (item) => loggableValue(item));
  }
  return REDACTED;
}

function redactFields(fields: object, depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    safe[key] = SECRET_KEYS.test(key) ? REDACTED : redactValue(value, depth + 1);
  }
  return safe;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH) return "[too deep]";
  if (value instanceof Uint8Array) return bytesText(value);
  if (value instanceof Error) return errorFields(value, depth);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return redactFields(value, depth);
}

/** An error with its own fields (code, reason, metadata), its stack and its causes. */
function errorFields(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause, ...own } = Object.fromEntries(
    ["name", "message", "stack", "cause", ...Object.keys(error)].map((key) => [
      key,
      (error as unknown as Record<string, unknown>)[key],
    ]),
  );
  return redactFields({ type: name, message, stack, ...own, ...(cause ? { cause } : {}) }, depth);
}

function redactText(text: string): string {
  return text.includes("eyJ") ? text.replace(JWT, REDACTED) : text;
}

function bytesText(bytes: Uint8Array): string {
  return bytes.length <= 32 ? hex(bytes) : `[${bytes.length} bytes]`;
}
