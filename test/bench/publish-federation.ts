import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { runCommand } from '../support/federation-process.js';
import { random, TestFederation } from '../support/server/federation.js';

const MAIN = join(process.cwd(), 'dist/client/main.js');
/** Rows of a source written at once. */
const ROWS = 10_000;
/** Makes a Node process say on stderr, as its last word, how many KiB it held at most. */
const TELL_PEAK =
  "data:text/javascript,process.on('exit',()=>process._rawDebug('peak '+process.resourceUsage().maxRSS))";

/** A command that ran to its end. */
export interface Ran {
  readonly ms: number;
  readonly peakBytes: number;
  readonly stdout: string;
}

/** A federation whose processes tell how much memory they took. */
export class BenchFederation {
  readonly federation: TestFederation;
  #serverSaid = '';

  private constructor(federation: TestFederation) {
    this.federation = federation;
  }

  static async start(): Promise<BenchFederation> {
    const made = new BenchFederation(await TestFederation.make());
    const { address, child } = await made.federation.start({}, ['--import', TELL_PEAK]);
    child.stderr?.on('data', (text: Buffer) => {
      made.#serverSaid += text.toString();
    });
    const members = join(made.federation.folder, 'members');
    for (const name of await readdir(members)) {
      const file = join(members, name, 'hashfed.json');
      await writeFile(file, (await readFile(file, 'utf8')).replaceAll('127.0.0.1:0', address));
    }
    return made;
  }

  config(member: string): string {
    return join(this.federation.folder, 'members', member, 'hashfed.json');
  }

  /** Throws where the command does not end with 0. */
  async run(member: string, ...args: readonly string[]): Promise<Ran> {
    const started = performance.now();
    const all = ['--import', TELL_PEAK, MAIN, ...args, '--json', '--config', this.config(member)];
    const { code, stdout, stderr } = await runCommand(process.execPath, all);
    if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${stderr}`);
    return { ms: performance.now() - started, peakBytes: peakOf(stderr), stdout };
  }

  /** A source of `count` random sha256 hashes as arguments of `publish`, and the bytes of the hashes. */
  async source(count: number): Promise<{ args: string[]; hashes: Uint8Array }> {
    const map = join(this.federation.folder, 'map.json');
    const columns = { sha256: 'sha256', classification: 'class' };
    await writeFile(
      map,
      JSON.stringify({ format: 1, columns, classifications: { a: { scheme: 1, code: 1 } } }),
    );
    const file = join(this.federation.folder, `source-${count}.csv`);
    const hashes = random.bytes(32 * count);
    const out = createWriteStream(file);
    out.write('sha256,class\n');
    for (let at = 0; at < count; at += ROWS) {
      const rows = Math.min(ROWS, count - at);
      const hex = Buffer.from(hashes.buffer, at * 32, rows * 32).toString('hex');
      const more = out.write(hex.replace(/.{64}/g, (one) => `${one},a\n`));
      if (!more) await once(out, 'drain');
    }
    out.end();
    await finished(out);
    return { args: [file, '--map', map, '--collection', 'known'], hashes };
  }

  /** Ends the server; answers its peak in bytes. */
  async stopServer(): Promise<number> {
    await this.federation.server?.end('SIGTERM');
    return peakOf(this.#serverSaid);
  }

  remove(): Promise<void> {
    return this.federation.remove();
  }
}

function peakOf(said: string): number {
  const kib = /^peak (\d+)$/m.exec(said)?.[1];
  if (kib === undefined) throw new Error('a process did not tell its peak');
  return Number(kib) * 1024;
}
