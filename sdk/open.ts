import { randomBytes } from 'node:crypto';
import { type LoadedConfig, loadConfig } from './config/index.js';
import { type Clock, fromHex, HashfedError, parseVkey, type Random, type Suite } from './core/index.js';
import type { Counting } from './counting.js';
import { platformSuite } from './hash/index.js';
import { Hashfed } from './hashfed.js';
import type { PhotoDna } from './hashfed-types.js';
import { type Policy, parsePolicy } from './match/index.js';
import {
  isHeldElsewhere,
  type KeyProvider,
  keyFromEnvironment,
  keyFromFile,
  openStore,
  type Store,
} from './store/index.js';
import { connectSources, NO_COSIGNERS, RootBook, restoreStatements, type SyncDeps } from './sync/index.js';
import { openTelemetry } from './telemetry-desk.js';
import { VERSION } from './version.js';

export interface OpenOptions {
  /** A `hashfed.json`, or one that was loaded. */
  readonly config: string | LoadedConfig;
  /** `auto` (default): beside another process that writes, open to read and to check. */
  readonly access?: 'write' | 'read' | 'auto';
  /** Where the store key comes from instead of the configured file (a KMS, say). */
  readonly key?: KeyProvider;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly suite?: Suite;
  /** Counts in the place of telemetry. */
  readonly counting?: (store: Store) => Counting;
  readonly photodna?: PhotoDna;
}

export const systemClock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** Opens a hoster's store, checks what it holds, and connects lazily. Throws USAGE, STORAGE_FAILED. */
export async function open(options: OpenOptions): Promise<Hashfed> {
  const config =
    typeof options.config === 'string' ? await loadConfig(options.config, process.env) : options.config;
  const deps = await openDeps(config, options);
  try {
    const book = await RootBook.open(deps);
    const policy = policyOf(config);
    const parts = {
      deps,
      book,
      lists: config.lists,
      policy,
      sdkVersion: VERSION,
      ...(options.counting === undefined
        ? { telemetry: openTelemetry({ config, deps, book, policy, sdkVersion: VERSION }) }
        : { counting: options.counting(deps.store) }),
      ...(options.photodna && { photodna: options.photodna }),
    };
    return await Hashfed.load(parts, (replica) => restoreStatements(deps, book, replica));
  } catch (error) {
    for (const { channel } of deps.sources) channel.close();
    await deps.store.close();
    throw error;
  }
}

/** Store, channels and trust of a configuration: what following lists needs, without matching. */
export async function openDeps(
  config: LoadedConfig,
  options: Omit<OpenOptions, 'config' | 'counting'> = {},
): Promise<SyncDeps> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const suite = options.suite ?? platformSuite();
  const tls = {
    ca: config.path(config.tls.ca),
    certificate: config.path(config.tls.cert),
    key: config.path(config.tls.key),
  };
  const sources = await connectSources(
    config.sources.map(({ address, server_name }) => ({
      address,
      ...(server_name !== undefined && { serverName: server_name }),
    })),
    tls,
    random,
  );
  const store = await openAny(config, options, { clock, random });
  const trust = config.trust.map(({ publisher, root_sha256 }) => ({
    publisher,
    fingerprint: fromHex(root_sha256),
  }));
  const cosigners =
    config.cosigners === undefined
      ? NO_COSIGNERS
      : {
          needed: config.cosigners.threshold,
          keys: config.cosigners.keys.map((text, at) =>
            vkeyIn(config.file, `cosigners.keys.${at}`, text, suite),
          ),
        };
  return { store, suite, clock, random, sources, trust, cosigners };
}

/** The policy that a configuration holds. Throws USAGE naming the file and the field. */
export function policyOf({ file, policy }: LoadedConfig): Policy {
  try {
    return parsePolicy(policy);
  } catch (error) {
    if (!(error instanceof HashfedError)) throw error;
    throw new HashfedError('USAGE', `${file}: ${error.message}`, { ...error.detail, cause: error });
  }
}

/** Throws USAGE naming the field. */
function vkeyIn(file: string, field: string, text: string, suite: Suite): ReturnType<typeof parseVkey> {
  try {
    return parseVkey(suite.sha256, text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HashfedError('USAGE', `${file}: ${field}: ${why}`, { field, cause });
  }
}

async function openAny(
  config: LoadedConfig,
  { access = 'auto', key }: Pick<OpenOptions, 'access' | 'key'>,
  world: { clock: Clock; random: Random },
): Promise<Store> {
  if (config.store === undefined)
    throw new HashfedError('USAGE', `${config.file}: store: is not configured`, { field: 'store' });
  const keyFile = config.store.key_file;
  const provider =
    key ?? (keyFile === undefined ? keyFromEnvironment(process.env) : keyFromFile(config.path(keyFile)));
  const common = { dir: config.path(config.store.dir), key: provider, ...world };
  if (access === 'read') return openStore({ ...common, readOnly: true });
  try {
    return await openStore(common);
  } catch (error) {
    if (access === 'write' || !isHeldElsewhere(error)) throw error;
    return openStore({ ...common, readOnly: true });
  }
}
