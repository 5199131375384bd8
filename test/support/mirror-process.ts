import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = join(import.meta.dirname, '../../dist/server/mirror-main.js');

/** A mirror as its own process. */
export interface MirrorProcess {
  readonly folder: string;
  readonly address: string;
  readonly child: ChildProcess;
  /** The C2SP verifier key of one of its cosigning keys. */
  vkey(role: 'mirror' | 'witness'): Promise<string>;
  log(): Promise<string>;
  end(signal?: NodeJS.Signals): Promise<void>;
}

export interface MirrorOptions {
  readonly name: string;
  /** Addresses of whom it follows. */
  readonly upstreams: readonly string[];
  readonly cosign?: { readonly mirror?: string; readonly witness?: string };
  readonly cosigners?: { readonly threshold: number; readonly keys: readonly string[] };
  readonly lists?: readonly string[];
  readonly listen?: string;
}

interface MemberConfig {
  readonly federation: string;
  readonly directory_sha256: string;
  readonly trust: readonly object[];
}

/** Writes `mirror.json` for the development federation in `federation` and returns its path. */
export async function writeMirrorConfig(federation: string, options: MirrorOptions): Promise<string> {
  const folder = join(federation, options.name);
  const member = join(federation, 'members', 'mirror');
  const server = join(federation, 'server');
  const own = JSON.parse(await readFile(join(member, 'hashfed.json'), 'utf8')) as MemberConfig;
  const config = {
    format: 1,
    server: {
      format: 1,
      federation: own.federation,
      listen: options.listen ?? '127.0.0.1:0',
      tls: {
        certificate: join(server, 'server.pem'),
        key: join(server, 'server.key'),
        client_ca: join(server, 'ca.pem'),
      },
      directory: { file: join(server, 'bootstrap/directory.dsse'), first_sha256: own.directory_sha256 },
      storage: 'level:data',
      operator_keys: 'keys',
      log: { level: 'info', file: 'mirror.log' },
    },
    upstreams: options.upstreams.map((address) => ({ address, server_name: 'localhost' })),
    identity: {
      ca: join(member, 'ca.pem'),
      cert: join(member, 'member.pem'),
      key: join(member, 'member.key'),
    },
    trust: own.trust,
    ...(options.lists && { lists: options.lists }),
    ...(options.cosign && { cosign: options.cosign }),
    ...(options.cosigners && { cosigners: options.cosigners }),
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'mirror.json'), JSON.stringify(config));
  return join(folder, 'mirror.json');
}

/** Starts the built mirror; resolves once it listens. */
export async function startMirror(federation: string, options: MirrorOptions): Promise<MirrorProcess> {
  const config = await writeMirrorConfig(federation, options);
  const folder = join(config, '..');
  const child = spawn(process.execPath, [MAIN, '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  const address = await listening(child);
  return {
    folder,
    address,
    child,
    vkey: async (role) => (await readFile(join(folder, 'keys', `${role}.vkey`), 'utf8')).trim(),
    log: () => readFile(join(folder, 'mirror.log'), 'utf8'),
    end: async (signal = 'SIGTERM') => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, 'exit');
    },
  };
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let errors = '';
    child.stderr?.on('data', (text: Buffer) => {
      errors += text.toString();
    });
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const address = /^listening (\S+)$/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`the mirror ended with ${code}: ${errors}`)));
  });
}
