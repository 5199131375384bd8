import type { Writable } from 'node:stream';
import cliProgress from 'cli-progress';

/** A progress bar, or nothing where the output is no terminal. */
export interface Progress {
  /** `done` and `total` in the unit that the label names; total 0 means unknown yet. */
  update(done: number, total: number): void;
  stop(): void;
}

/** Room for the name of a list, a bar and its numbers in 80 columns. */
const BAR_COLUMNS = 20;

const SILENT: Progress = { update: () => {}, stop: () => {} };

/**
 * Where a command's answer goes. With `--json` stdout holds JSON only: one object, or NDJSON from commands
 * that stream. Without it stdout holds text for people. Progress goes to stderr, on a terminal only.
 */
export class Output {
  readonly json: boolean;
  readonly #out: Writable & { isTTY?: boolean };
  readonly #err: Writable & { isTTY?: boolean };
  /** The bar on the terminal now; what is printed meanwhile must not run into it. */
  #bar: cliProgress.SingleBar | undefined;

  constructor(
    json: boolean,
    out: Writable & { isTTY?: boolean } = process.stdout,
    err: Writable = process.stderr,
  ) {
    this.json = json;
    this.#out = out;
    this.#err = err;
  }

  /**
   * Prints one answer: the object with `--json`, else the lines. `verbatim` lines are for other programs: only a
   * terminal gets them `printable`.
   */
  result(value: object, human: string | readonly string[], { verbatim = false } = {}): void {
    this.#clearBar();
    const clean = verbatim && this.#out.isTTY !== true ? (line: string) => line : printable;
    if (this.json) this.#out.write(`${stringify(value)}\n`);
    else for (const line of typeof human === 'string' ? [human] : human) this.#out.write(`${clean(line)}\n`);
  }

  /** A remark for people; silent with `--json`. */
  say(line: string): void {
    this.#clearBar();
    if (!this.json) this.#out.write(`${printable(line)}\n`);
  }

  warn(line: string): void {
    this.#clearBar();
    this.#err.write(`${printable(line)}\n`);
  }

  /** Drawn from its first update on; one bar at a time, the newest. */
  progress(label: string): Progress {
    if (this.json || this.#err.isTTY !== true) return SILENT;
    let bar: cliProgress.SingleBar | undefined;
    const stop = (): void => {
      if (this.#bar === bar) this.#bar = undefined;
      bar?.stop();
    };
    return {
      update: (done, total) => {
        bar ??= this.#start(label, done, total);
        if (this.#bar !== bar) return;
        bar.setTotal(total);
        bar.update(done);
      },
      stop,
    };
  }

  #start(label: string, done: number, total: number): cliProgress.SingleBar {
    this.#bar?.stop();
    this.#bar = new cliProgress.SingleBar({
      format: (options, { value, total, progress }) => {
        if (total === 0) return `${label} ${value}`;
        const bar = cliProgress.Format.BarFormat(progress, options);
        return `${label} [${bar}] ${Math.floor(progress * 100)}% ${value}/${total}`;
      },
      stream: this.#err as NodeJS.WritableStream,
      hideCursor: true,
      barsize: BAR_COLUMNS,
      clearOnComplete: true,
    });
    this.#bar.start(total, done);
    return this.#bar;
  }

  /** The line of a bar is wiped, and drawn anew with its next update. */
  #clearBar(): void {
    if (this.#bar !== undefined) this.#err.write('\r\u001b[K');
  }
}

/** Controls (but tabs), line separators and marks that turn the reading direction. */
const UNPRINTABLE = /[^\P{Cc}\t]|[\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * One line as people may see it. Names of files and labels come from anybody: what would move the cursor, recolour,
 * begin a line or turn the reading direction is written out as `\u{1b}`.
 */
export function printable(line: string): string {
  return line.replace(UNPRINTABLE, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
}

/** Unix milliseconds as people read them. What a peer says may be no time at all. */
export function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'no time' : date.toISOString();
}

/** JSON with bytes as lower-case hex and bigint as a number while exact, else as text. */
export function stringify(value: unknown): string {
  const text = JSON.stringify(value, (_key, entry: unknown) => {
    if (typeof entry === 'bigint')
      return entry <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(entry) : String(entry);
    if (entry instanceof Uint8Array) return Buffer.from(entry).toString('hex');
    return entry;
  });
  // The same JSON: these stand in strings only, and JSON leaves them as they are.
  return text.replace(UNPRINTABLE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** `512 B`, `4.2 kB`, `1.5 GB`. */
export function bytesText(bytes: number): string {
  const step = Math.min(4, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const unit = ['B', 'kB', 'MB', 'GB', 'TB'][step];
  return step === 0 ? `${bytes} B` : `${(bytes / 1000 ** step).toFixed(1)} ${unit}`;
}

/** `1 file`, `1,204 files`. */
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** Columns of text, padded; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
