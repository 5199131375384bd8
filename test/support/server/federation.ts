import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initFederation } from '../../../client/init/index.js';
import { type KeyRole, readKey, type SecretKey } from '../../../client/publisher/keys/index.js';
import type { Clock, Random } from '../../../sdk/core/index.js';
import { platformSuite } from '../../../sdk/hash/platform/index.js';
import { openChannel, type RpcChannel } from '../../../sdk/rpc/index.js';

export const suite = platformSuite();
export const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };
const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

const MAIN = join(process.cwd(), 'dist', 'server', 'main.js');

/** A server as its own process. */
export interface ServerProcess {
  readonly address: string;
  readonly child: ChildProcess;
  /** Ends it and resolves to how it ended. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** A development federation in a folder, as `hashfed init` makes it, and clients of its members. */
export class TestFederation {
  readonly folder: string;
  readonly #channels: RpcChannel[] = [];
  server: ServerProcess | undefined;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<TestFederation> {
    const folder = await mkdtemp(join(tmpdir(), 'hashfed-server-'));
    const environment = { suite, clock, random };
    await initFederation(environment, { folder, federation: 'dev.hashfed.example', listen: '127.0.0.1:0' });
    return new TestFederation(folder);
  }

  /** Starts the built server. Rejects with what it wrote where it ends before it listens. */
  async start(
    env: Readonly<Record<string, string>> = {},
    node: readonly string[] = [],
  ): Promise<ServerProcess> {
    const config = join(this.folder, 'server', 'server.json');
    const child = spawn(process.execPath, [...node, MAIN, '--config', config], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const address = await listening(child);
    const end = (signal: NodeJS.Signals) =>
      new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null)
          resolve({ code: child.exitCode, signal: child.signalCode });
        child.once('exit', (code, by) => resolve({ code, signal: by }));
        child.kill(signal);
      });
    this.server = { address, child, end };
    return this.server;
  }

  /** A channel with the member's own certificate to the server that runs now. */
  async as(member: string): Promise<RpcChannel> {
    const folder = join(this.folder, 'members', member);
    const [ca, certificate, key] = await Promise.all(
      ['ca.pem', 'member.pem', 'member.key'].map((name) => readFile(join(folder, name))),
    );
    const channel = openChannel({
      address: this.server!.address,
      tls: { ca: ca!, certificate: certificate!, key: key! },
      random,
    });
    this.#channels.push(channel);
    return channel;
  }

  key(member: string, role: KeyRole): Promise<SecretKey> {
    return readKey(join(this.folder, 'members', member, 'keys', `${role}.key`), role, suite.ed25519);
  }

  log(): Promise<string> {
    return readFile(join(this.folder, 'server', 'server.log'), 'utf8');
  }

  async remove(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.server?.end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    let errors = '';
    child.stdout!.on('data', (text: Buffer) => {
      said += text.toString();
      const address = /listening (\S+)\n/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.stderr!.on('data', (text: Buffer) => {
      errors += text.toString();
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${errors}`)));
  });
}
