import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const DIST = join(import.meta.dirname, '../../dist');

/** A development federation in its own folder, with a running server process. */
export interface ProcessFederation {
  readonly folder: string;
  readonly address: string;
  member(name: string): string;
  /** Runs one command as `member`; answers exit code and output. */
  run(
    member: string,
    ...args: readonly string[]
  ): Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** Ends the server as a supervisor does, and starts it again; `between` runs while it is down. */
  restart(between?: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

/** `hashfed init` and `serve`, as their users run them. Needs a built dist/. */
export async function startFederation(...options: readonly string[]): Promise<ProcessFederation> {
  const folder = join(await mkdtemp(join(tmpdir(), 'hashfed-federation-')), 'federation');
  const address = `127.0.0.1:${await freePort()}`;
  const made = await runProgram([
    'client/main.js',
    'init',
    folder,
    '--listen',
    address,
    '--json',
    ...options,
  ]);
  if (made.code !== 0) throw new Error(`init: ${made.stderr}`);
  let server = await startServer(folder);
  const member = (name: string): string => join(folder, 'members', name);
  return {
    folder,
    address,
    member,
    run: (name, ...args) =>
      runProgram(['client/main.js', ...args, '--config', join(member(name), 'hashfed.json')]),
    restart: async (between) => {
      await endServer(server);
      await between?.();
      server = await startServer(folder);
    },
    stop: async () => {
      await endServer(server);
      await rm(join(folder, '..'), { recursive: true, force: true });
    },
  };
}

async function startServer(folder: string): Promise<ChildProcess> {
  const server = spawn(
    process.execPath,
    [join(DIST, 'server/main.js'), '--config', join(folder, 'server/server.json')],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await firstLine(server.stdout, server);
  return server;
}

async function endServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
}

/** Runs a program of dist/ to its end. */
async function runProgram([program = '', ...args]: readonly string[]): Promise<{
  code: number | null;
  stdout: string;
  stderr: string;
}> {
  return runCommand(process.execPath, [join(DIST, program), ...args]);
}

/** Runs any program to its end and collects what it prints. */
export async function runCommand(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') };
}

async function firstLine(
  stream: NodeJS.ReadableStream,
  owner: { once(event: 'exit', run: () => void): unknown },
): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: stream }).once('line', resolve);
    owner.once('exit', () => reject(new Error('the program ended before it said anything')));
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
