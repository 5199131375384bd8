import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HASHFED = fileURLToPath(new URL('../../../client/main.js', import.meta.url));
const SERVER = fileURLToPath(new URL('../../../server/main.js', import.meta.url));

/** What a command answered. */
export interface Answer {
  readonly code: number;
  /** Its NDJSON lines. */
  readonly lines: readonly Record<string, unknown>[];
  readonly stderr: string;
}

/** Runs one `hashfed` command to its end, as a user would, with `--json`. Throws unless it exits with one of `ok`. */
export async function hashfed(args: readonly string[], ok: readonly number[] = [0]): Promise<Answer> {
  const child = spawn(process.execPath, [HASHFED, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  const stderr = Buffer.concat(errors).toString('utf8');
  if (code === null || !ok.includes(code)) {
    throw new Error(`hashfed ${args.join(' ')} exited with ${code}: ${stderr.trim()}`);
  }
  return { code, stderr, lines: parseLines(Buffer.concat(chunks).toString('utf8')) };
}

function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The last line of an answer: a command's result, or the end of its stream. */
export function result(answer: Answer): Record<string, unknown> {
  const last = answer.lines.at(-1);
  if (last === undefined) throw new Error('the command printed nothing');
  return last;
}

/** A program that goes on: a server, a watching hoster. */
export class Running {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.lines.push(line);
      for (const wake of this.#waiting) wake();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString('utf8')).slice(-4096);
    });
    child.once('exit', () => {
      for (const wake of this.#waiting) wake();
    });
  }

  /** The first line from `from` on that `matches`; throws when the program ends or `ms` pass before. */
  async line(matches: (line: string) => boolean, ms: number, from = 0): Promise<string> {
    const deadline = Date.now() + ms;
    for (;;) {
      const found = this.lines.slice(from).find(matches);
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      if (left <= 0 || this.child.exitCode !== null) {
        throw new Error(`${left <= 0 ? 'waited too long' : 'the program ended'}: ${this.stderr.trim()}`);
      }
      await this.#next(left);
    }
  }

  #next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
    await ended;
    clearTimeout(timer);
  }
}

const start = (program: string, args: readonly string[]): Running =>
  new Running(spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }));

/** A server process; resolves when it says that it listens. */
export async function startServer(config: string): Promise<Running> {
  const server = start(SERVER, ['--config', config]);
  await server
    .line((line) => line.startsWith('listening '), 30_000)
    .catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
  return server;
}

/** A `hashfed` command that goes on until it is stopped. */
export const startHashfed = (args: readonly string[]): Running => start(HASHFED, [...args, '--json']);

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
