/**
 * Meta bytes out of line: addresses are u32 in units of 4 bytes, so 16 GiB at most. A freed slot is reused by
 * the next value of the same rounded length.
 */
const UNIT = 4;
const UNITS_PER_CHUNK = 16_384;

export class MetaHeap {
  private readonly chunks: Uint8Array[] = [];
  private readonly free = new Map<number, number[]>();
  /** Address 0 means none. */
  private next = 1;

  /** Copies `b[at, at + length)`, 1–512 bytes; answers its address. */
  put(b: Uint8Array, at: number, length: number): number {
    const units = Math.ceil(length / UNIT);
    const address = this.free.get(units)?.pop() ?? this.grow(units);
    const chunk = this.chunk(address);
    const to = (address % UNITS_PER_CHUNK) * UNIT;
    for (let i = 0; i < length; i++) chunk[to + i] = b[at + i]!;
    return address;
  }

  release(address: number, length: number): void {
    const units = Math.ceil(length / UNIT);
    const list = this.free.get(units);
    if (list === undefined) this.free.set(units, [address]);
    else list.push(address);
  }

  /** Copies the value to `out[at…)`. */
  copy(address: number, length: number, out: Uint8Array, at: number): void {
    const chunk = this.chunk(address);
    const from = (address % UNITS_PER_CHUNK) * UNIT;
    for (let i = 0; i < length; i++) out[at + i] = chunk[from + i]!;
  }

  private chunk(address: number): Uint8Array {
    return this.chunks[Math.floor(address / UNITS_PER_CHUNK)]!;
  }

  /** A value never straddles two chunks. */
  private grow(units: number): number {
    const left = UNITS_PER_CHUNK - (this.next % UNITS_PER_CHUNK);
    if (left < units) this.next += left;
    if (this.next / UNITS_PER_CHUNK >= this.chunks.length)
      this.chunks.push(new Uint8Array(UNIT * UNITS_PER_CHUNK));
    const address = this.next;
    this.next += units;
    return address;
  }
}
