import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { LoadedConfig } from '../../sdk/config/index.js';
import { HashfedError } from '../../sdk/core/index.js';
import type { ListStatus } from '../../sdk/index.js';
import { callUnary } from '../../sdk/rpc/index.js';
import { ListServiceService } from '../../sdk/rpc/services/list.js';
import { connectSources } from '../../sdk/sync/index.js';
import {
  action,
  type CliContext,
  EXIT,
  type ExitCode,
  exitForError,
  strongestExit,
  table,
} from '../cli/index.js';
import { describeCertificate, dueForRenewal } from '../pki/index.js';
import { errorJson, freshnessExit, tellDamage, withHoster } from './hoster-shared.js';

/** A source that says nothing for so long is reported as unreachable, milliseconds. */
const PROBE_MS = 5_000;

interface Certificate {
  readonly expires_ms: number;
  /** Two thirds of its life are over. */
  readonly renew: boolean;
}

interface Probe {
  readonly address: string;
  readonly reachable: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

interface Held {
  readonly lists: readonly ListStatus[];
  readonly exit: ExitCode;
}

export function register(program: Command): void {
  program
    .command('status')
    .description('certificate, sources, lists: what works and what expires')
    .addHelpText('after', '\nExample:\n  hashfed status --json')
    .action(
      action(async (context) => {
        const config = await context.config();
        const certificate = await readCertificate(context, config);
        const [sources, codes] = await probeAll(context, config);
        const held = await readLists(context, config);
        const { federation, member } = config;
        context.out.result(
          { federation, member, certificate, sources, lists: held.lists },
          lines(config, certificate, sources, held.lists),
        );
        for (const { address, error } of sources)
          if (error !== undefined) context.out.warn(`hashfed: ${address}: ${error.code}: ${error.message}`);
        return strongestExit([...codes, held.exit, expiryExit(context, certificate)]);
      }),
    );
}

async function readCertificate({ clock }: CliContext, config: LoadedConfig): Promise<Certificate> {
  const file = config.path(config.tls.cert);
  const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HashfedError('USAGE', `tls.cert: cannot read ${file}`, { field: 'tls.cert', cause });
  });
  const facts = describeCertificate(pem);
  return { expires_ms: facts.notAfterMs, renew: dueForRenewal(facts, clock.nowMs()) };
}

const expiryExit = ({ clock }: CliContext, { expires_ms }: Certificate): ExitCode =>
  clock.nowMs() >= expires_ms ? EXIT.identity : EXIT.done;

async function probeAll(
  { random, signal }: CliContext,
  { sources, tls, path }: LoadedConfig,
): Promise<[Probe[], ExitCode[]]> {
  const files = { ca: path(tls.ca), certificate: path(tls.cert), key: path(tls.key) };
  const configs = sources.map(({ address, server_name }) => ({
    address,
    ...(server_name !== undefined && { serverName: server_name }),
  }));
  const codes: ExitCode[] = [];
  const probes = (await connectSources(configs, files, random)).map(
    async ({ name, channel }): Promise<Probe> => {
      try {
        const request = { pageSize: 1, pageToken: '' };
        await callUnary(channel, ListServiceService.listLists, request, { deadlineMs: PROBE_MS, signal });
        return { address: name, reachable: true };
      } catch (error) {
        codes.push(exitForError(error));
        return { address: name, reachable: false, error: errorJson(error) };
      } finally {
        channel.close();
      }
    },
  );
  return [await Promise.all(probes), codes];
}

/** Members without lists have nothing that could be stale. */
async function readLists(context: CliContext, { lists }: LoadedConfig): Promise<Held> {
  if (lists.length === 0) return { lists: [], exit: EXIT.done };
  return withHoster(context, 'auto', async (hashfed) => {
    await tellDamage(hashfed, context);
    return { lists: hashfed.lists(), exit: freshnessExit(hashfed, context) };
  });
}

/** What is wrong is told on stderr; here it is only whether anybody answered at all. */
const troubleOf = (error: Probe['error']): string =>
  error?.code === 'UNAVAILABLE' || error?.code === 'DEADLINE' ? 'does not answer' : 'answers, and refuses';

function lines(
  { federation, member }: LoadedConfig,
  { expires_ms, renew }: Certificate,
  sources: readonly Probe[],
  lists: readonly ListStatus[],
): string[] {
  const expiry = new Date(expires_ms).toISOString().slice(0, 10);
  return [
    `${member} of ${federation}`,
    `certificate: valid until ${expiry}${renew ? '; send the operator a new certificate request now' : ''}`,
    ...sources.map(
      ({ address, reachable, error }) => `source ${address}: ${reachable ? 'answers' : troubleOf(error)}`,
    ),
    ...table(lists.map(({ origin, size, state }) => [origin, String(size), state])),
  ];
}
