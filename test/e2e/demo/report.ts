/** Between two updates of a line that says how long something takes. */
const TICK_MS = 1000;

/** Prints what the demo does, as it does it: lines for people, or NDJSON alone. */
export class Report {
  readonly #json: boolean;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** One step and what came of it. */
  step(name: string, text: string, facts: object = {}): void {
    this.#write({ event: 'step', name, ...facts }, `  ${text}`);
  }

  /** A part of the federation that does not exist yet: neither done nor failed. */
  notYet(name: string): void {
    this.#write({ event: 'not-yet', name }, `  ${name}: not yet`);
  }

  /** A line that is overwritten, on a terminal only; `undefined` clears it. */
  progress(text: string | undefined): void {
    if (!this.#json && process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text ?? ''}`);
  }

  /** Shows what is going on, and for how long already, while `work` runs. */
  async during<T>(text: string, work: Promise<T>): Promise<T> {
    const started = Date.now();
    const tell = (): void => this.progress(`  ${text} … ${Math.round((Date.now() - started) / 1000)} s`);
    tell();
    const timer = setInterval(tell, TICK_MS);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      this.progress(undefined);
    }
  }

  heading(text: string): void {
    if (!this.#json) process.stdout.write(`\n${text}\n`);
  }

  /** A line of its own, for people only. */
  say(text: string): void {
    if (!this.#json) process.stdout.write(`  ${text}\n`);
  }

  summary(summary: object, lines: readonly string[]): void {
    this.heading('Summary');
    this.#write({ event: 'summary', ...summary }, lines.map((line) => `  ${line}`).join('\n'));
  }

  #write(event: object, text: string): void {
    this.progress(undefined);
    process.stdout.write(`${this.#json ? JSON.stringify(event) : text}\n`);
  }
}
