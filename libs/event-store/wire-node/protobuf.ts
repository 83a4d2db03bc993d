/**
 * Writes Protocol Buffers from the last field to the first. So the length of an inner message is known when it has to
 * be written, and no bytes are moved.
 */
export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(4096);
  /** The written bytes are from here to the end. */
  #at = this.#buffer.length;

  /** The message as a buffer of its own; the writer starts again. */
  take(): Buffer {
    const message = Buffer.from(this.#buffer.subarray(this.#at));
    this.#at = this.#buffer.length;
    return message;
  }

  message(field: number, write: () => void): void {
    const end = this.#buffer.length - this.#at;
    write();
    this.#varint(BigInt(this.#buffer.length - this.#at - end));
    this.#tag(field, LENGTH_DELIMITED);
  }

  empty(field: number): void {
    this.message(field, () => {});
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#at -= bytes.length;
    this.#buffer.set(bytes, this.#at);
    this.#smallVarint(bytes.length);
    this.#tag(field, LENGTH_DELIMITED);
  }

  text(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#room(length);
    this.#at -= length;
    this.#buffer.write(text, this.#at);
    this.#smallVarint(length);
    this.#tag(field, LENGTH_DELIMITED);
  }

  /** @param value 0 or more */
  number(field: number, value: number | bigint): void {
    if (typeof value === 'number' && value < SMALL) this.#smallVarint(value);
    else this.#varint(BigInt(value));
    this.#tag(field, VARINT);
  }

  #tag(field: number, wireType: number): void {
    this.#smallVarint(field * 8 + wireType);
  }

  #smallVarint(value: number): void {
    const length = value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
    this.#room(length);
    this.#at -= length;
    let rest = value;
    for (let index = 0; index < length - 1; index += 1) {
      this.#buffer[this.#at + index] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at + length - 1] = rest;
  }

  #varint(value: bigint): void {
    if (value < BigInt(SMALL)) {
      this.#smallVarint(Number(value));
      return;
    }
    const groups: number[] = [];
    for (let rest = BigInt.asUintN(64, value); rest > 0n; rest >>= 7n) groups.push(Number(rest & 0x7fn));
    this.#room(groups.length);
    this.#at -= groups.length;
    for (const [index, group] of groups.entries())
      this.#buffer[this.#at + index] = index < groups.length - 1 ? group | 0x80 : group;
  }

  #room(length: number): void {
    if (this.#at >= length) return;
    const written = this.#buffer.subarray(this.#at);
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, written.length + length));
    larger.set(written, larger.length - written.length);
    this.#at = larger.length - written.length;
    this.#buffer = larger;
  }
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** 32-bit arithmetic is enough for smaller numbers. */
const SMALL = 0x7fffffff;
