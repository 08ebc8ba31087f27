import type { DescMessage, DescService, MessageShape } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";

/** Who set it: requests are what clients say, responses what servers say; stored is what a store keeps. */
export type Side = "request" | "response" | "stored";

/** Messages of other packages are the affair of those who made them. */
const isOurs = (desc: { readonly typeName: string }) => desc.typeName.startsWith("heddle.");

/**
 * Which parts of the contract messages have used: `request heddle.push.v1.Ack`, `request heddle.push.v1.Ack.up_to`,
 * `response heddle.push.v1.DrainingReason.DRAINING_REASON_SHUTDOWN`. A field counts when it is set, that is, says
 * something other than its default.
 */
export class Coverage {
  readonly #used = new Set<string>();

  /** Takes note of a message and all that is in it. */
  note<D extends DescMessage>(side: Side, desc: D, message: MessageShape<D>): void {
    this.#walk(side, reflect(desc, message));
  }

  /** What messages of the methods of these services could use, and none noted did. In alphabetical order. */
  missingOf(services: readonly DescService[]): string[] {
    const wanted = new Set<string>();
    for (const { methods } of services) {
      for (const { input, output } of methods) {
        collect("request", input, wanted);
        collect("response", output, wanted);
      }
    }
    return this.#without(wanted);
  }

  /** The same of one message. */
  missingIn(side: Side, desc: DescMessage): string[] {
    const wanted = new Set<string>();
    collect(side, desc, wanted);
    return this.#without(wanted);
  }

  #without(wanted: ReadonlySet<string>): string[] {
    return [...wanted].filter((part) => !this.#used.has(part)).sort();
  }

  #walk(side: Side, message: ReflectMessage): void {
    if (!isOurs(message.desc)) return;
    this.#used.add(`${side} ${message.desc.typeName}`);
    for (const field of message.fields) {
      if (!message.isSet(field)) continue;
      this.#used.add(`${side} ${message.desc.typeName}.${field.name}`);
      if (field.fieldKind === "message") this.#walk(side, message.get(field));
      else if (field.fieldKind === "list" && field.listKind === "message") {
        for (const one of message.get(field)) this.#walk(side, one as ReflectMessage);
      } else if (field.fieldKind === "enum" && isOurs(field.enum)) {
        const value = field.enum.value[message.get(field) as number];
        this.#used.add(`${side} ${field.enum.typeName}.${value?.name}`);
      }
    }
  }
}

/** Every message, field and enum value that can stand in a message of this kind; enum values but the first, "not set". */
function collect(side: Side, desc: DescMessage, into: Set<string>): void {
  if (!isOurs(desc) || into.has(`${side} ${desc.typeName}`)) return;
  into.add(`${side} ${desc.typeName}`);
  for (const field of desc.fields) {
    into.add(`${side} ${desc.typeName}.${field.name}`);
    if (field.message) collect(side, field.message, into);
    if (!field.enum || !isOurs(field.enum)) continue;
    for (const { name, number } of field.enum.values) {
      if (number !== 0) into.add(`${side} ${field.enum.typeName}.${name}`);
    }
  }
}
