import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/**
 * Messages of HBase's protocol by field numbers, on protobuf-es' reader and writer. There are about twenty, each written in
 * one place and read in one, so generated classes would be longer than what uses them.
 */

/** A message under construction. */
export class Fields {
  readonly #writer = new BinaryWriter();

  bytes(field: number, value: Uint8Array): this {
    this.#writer.tag(field, WireType.LengthDelimited).bytes(value);
    return this;
  }

  text(field: number, value: string): this {
    this.#writer.tag(field, WireType.LengthDelimited).string(value);
    return this;
  }

  /** 0 … 2^53 − 1; true and false as 1 and 0. */
  number(field: number, value: number | boolean): this {
    const writer = this.#writer.tag(field, WireType.Varint);
    if (typeof value === "boolean") writer.bool(value);
    else if (value <= 0xffffffff) writer.uint32(value);
    else writer.uint64(value);
    return this;
  }

  /** A message within, written by `fill` into this one. */
  message(field: number, fill: (fields: this) => unknown): this {
    this.#writer.tag(field, WireType.LengthDelimited).fork();
    fill(this);
    this.#writer.join();
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#writer.finish() as Uint8Array<ArrayBuffer>;
  }
}

/** A message that was read: its fields by number. Bytes are views of what it was read from. */
export class ReadFields {
  readonly #values = new Map<number, (number | Uint8Array)[]>();

  /** Throws where the bytes are no message. */
  constructor(bytes: Uint8Array) {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (type === WireType.Varint) this.#add(field, Number(reader.uint64()));
      else if (type === WireType.LengthDelimited) this.#add(field, reader.bytes());
      else reader.skip(type, field);
    }
  }

  /** The last value of a field; undefined where it is not set. */
  number(field: number): number | undefined {
    const value = this.#values.get(field)?.at(-1);
    return typeof value === "number" ? value : undefined;
  }

  bytes(field: number): Uint8Array | undefined {
    const value = this.#values.get(field)?.at(-1);
    return typeof value === "object" ? value : undefined;
  }

  text(field: number): string | undefined {
    const value = this.bytes(field);
    return value && new TextDecoder().decode(value);
  }

  message(field: number): ReadFields | undefined {
    const value = this.bytes(field);
    return value && new ReadFields(value);
  }

  /** Every value of a repeated field of messages. */
  messages(field: number): ReadFields[] {
    return this.all(field).map((value) => new ReadFields(value));
  }

  /** Every value of a repeated field of bytes. */
  all(field: number): Uint8Array[] {
    return (this.#values.get(field) ?? []).filter((value) => typeof value === "object");
  }

  /** Every value of a repeated field of numbers, packed or not. */
  numbers(field: number): number[] {
    return (this.#values.get(field) ?? []).flatMap((value) => {
      if (typeof value === "number") return [value];
      const reader = new BinaryReader(value);
      const numbers: number[] = [];
      while (reader.pos < reader.len) numbers.push(reader.uint32());
      return numbers;
    });
  }

  #add(field: number, value: number | Uint8Array): void {
    const values = this.#values.get(field);
    if (values) values.push(value);
    else this.#values.set(field, [value]);
  }
}
