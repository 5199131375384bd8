/** Bytes of one row; a longer one is a broken quote, not data. */
export const MAX_ROW_BYTES = 1024 * 1024;
const QUOTE = 0x22;
const EMPTY = Buffer.alloc(0);

/** A row by its columns' names, and its 1-based line. */
export interface NamedRow {
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

/**
 * The rows of a CSV file up to the first quote: lines that only need splitting. A list of millions has no quote at all,
 * and a full parser takes several times as long. What is left lies in `rest`, from the start of a line on.
 */
export class PlainRows {
  /** Undefined until the heading was read here. */
  names: readonly string[] | undefined;
  ending: '\n' | '\r\n' = '\n';
  /** Lines taken, the heading included. */
  lines = 0;
  /** True where rows are left for a full parser. */
  unfinished = false;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #delimiter: string;
  readonly #checkHeading: (heading: string[]) => string[];
  #held: Buffer = EMPTY;

  constructor(
    source: AsyncIterator<Uint8Array>,
    delimiter: string,
    checkHeading: (heading: string[]) => string[],
  ) {
    this.#source = source;
    this.#delimiter = delimiter;
    this.#checkHeading = checkHeading;
  }

  async *batches(): AsyncGenerator<NamedRow[]> {
    for (;;) {
      const { done, value } = await this.#source.next();
      if (!done)
        this.#held = this.#held.length === 0 ? Buffer.from(value) : Buffer.concat([this.#held, value]);
      if (!this.#readHeading()) {
        this.unfinished ||= done === true || this.#held.includes(QUOTE) || this.#held.length > MAX_ROW_BYTES;
        if (this.unfinished) return;
        continue;
      }
      const quote = this.#held.indexOf(QUOTE);
      const end = done && quote < 0 ? this.#held.length : this.#endOfLines(quote);
      yield this.#split(this.#held.subarray(0, end));
      this.#held = this.#held.subarray(end);
      this.unfinished = quote >= 0 || this.#held.length > MAX_ROW_BYTES;
      if (this.unfinished || done) return;
    }
  }

  /** The bytes that no batch held. */
  async *rest(): AsyncGenerator<Uint8Array> {
    yield this.#held;
    for (let next = await this.#source.next(); !next.done; next = await this.#source.next()) yield next.value;
  }

  /** False while there is none that can be read here. */
  #readHeading(): boolean {
    if (this.names !== undefined) return true;
    const quote = this.#held.indexOf(QUOTE);
    const end = this.#held.indexOf('\n');
    if (end < 1 || (quote >= 0 && quote < end)) return false;
    this.ending = this.#held[end - 1] === 0x0d ? '\r\n' : '\n';
    const text = this.#held.toString('utf8', 0, end + 1 - this.ending.length).replace(/^\ufeff/, '');
    if (text === '' || text.includes('\r')) {
      this.unfinished = true;
      return false;
    }
    this.names = this.#checkHeading(text.split(this.#delimiter));
    this.#held = this.#held.subarray(end + 1);
    this.lines = 1;
    return true;
  }

  /** Behind the last whole line before the quote, or of what is held. */
  #endOfLines(quote: number): number {
    const width = this.ending.length;
    const last = (quote < 0 ? this.#held.length : quote) - width;
    const found = last < 0 ? -1 : this.#held.lastIndexOf(this.ending, last);
    return found < 0 ? 0 : found + width;
  }

  #split(bytes: Buffer): NamedRow[] {
    const rows: NamedRow[] = [];
    const lines = bytes.toString('utf8').split(this.ending);
    if (lines.at(-1) === '') lines.pop();
    for (const text of lines) {
      this.lines += text.includes('\n') ? text.split('\n').length : 1;
      if (text !== '') rows.push({ line: this.lines, cells: this.#cells(text) });
    }
    return rows;
  }

  #cells(text: string): Record<string, string> {
    const names = this.names!;
    const cells: Record<string, string> = {};
    const values = text.split(this.#delimiter);
    for (let i = 0; i < names.length && i < values.length; i += 1) cells[names[i]!] = values[i]!;
    return cells;
  }
}
