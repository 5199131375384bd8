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

  heading(text: string): void {
    if (!this.#json) process.stdout.write(`\n${text}\n`);
  }

  summary(summary: object): void {
    this.#write({ event: 'summary', ...summary }, JSON.stringify({ event: 'summary', ...summary }));
  }

  #write(event: object, text: string): void {
    process.stdout.write(`${this.#json ? JSON.stringify(event) : text}\n`);
  }
}
