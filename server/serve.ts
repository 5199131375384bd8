import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Clock, fromHex, HashfedError, type Random, type Suite } from '../sdk/core/index.js';
import { platformSuite } from '../sdk/hash/platform/index.js';
import { DirectoryKeeper } from './access/index.js';
import type { LoadedServerConfig } from './config/index.js';
import {
  type Engine,
  FRESHNESS_EVERY_MS,
  FreshnessIssuer,
  loadBootstrap,
  openEngine,
  Statements,
} from './log/index.js';
import type { Log } from './logging/index.js';
import { type OperatorKeys, openOperatorKeys } from './operator-keys.js';
import { directoryService } from './services/directory.js';
import { listService } from './services/list.js';
import { publishService } from './services/publish.js';
import { type RunningServer, startServer, type Transport } from './shell/index.js';
import { nodeDisk } from './storage/disk.js';
import type { Storage } from './storage/index.js';
import { openLevelStorage } from './storage/level/index.js';

const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** Opens everything a server needs, checks it, and listens. What it returns is ready. */
export async function serve(config: LoadedServerConfig, log: Log): Promise<RunningServer> {
  const suite = platformSuite();
  const keys = await openOperatorKeys(nodeDisk, operatorKeysDir(config), suite.ed25519);
  const storage = await openStorage(config, suite, keys);
  try {
    return await serveFrom(config, log, { storage, suite, keys });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

interface Opened {
  readonly storage: Storage;
  readonly suite: Suite;
  readonly keys: OperatorKeys;
}

async function serveFrom(
  config: LoadedServerConfig,
  log: Log,
  { storage, suite, keys }: Opened,
): Promise<RunningServer> {
  const directory = await openDirectory(config, storage, suite);
  const deps = { storage, suite, clock, random, log };
  const started = clock.monotonicMs();
  const engine = await openEngine(deps, keys.memoryKey);
  const { lists } = engine;
  log.info('lists.replayed', {
    count: lists.origins().length,
    ms: Math.round(clock.monotonicMs() - started),
  });
  if (config.bootstrap !== undefined)
    await loadBootstrap(engine, directory.holder.current, nodeDisk, config.path(config.bootstrap));
  const freshness = new FreshnessIssuer(engine, keys.freshness);
  const statements = new Statements(engine, freshness);
  await statements.open();
  freshness.issueAll();
  lists.onChange((origin) => freshness.issue(origin));
  const server = await startServer({
    listen: config.listen,
    federation: config.federation,
    transport: transportOf(config),
    limits: config.limits,
    services: [
      listService(engine, statements),
      publishService(engine, statements),
      directoryService(directory),
    ],
    directory: directory.holder,
    clock,
    log,
  });
  const timer = setInterval(() => reissue(engine, freshness), FRESHNESS_EVERY_MS).unref();
  server.setReady(true);
  return withCleanup(server, async () => {
    clearInterval(timer);
    await storage.close();
  });
}

function reissue({ lists }: Engine, freshness: FreshnessIssuer): void {
  freshness.issueAll();
  for (const origin of lists.origins()) lists.changed(origin);
}

function withCleanup(server: RunningServer, cleanup: () => Promise<void>): RunningServer {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await server.stop();
    await cleanup();
  };
  return Object.assign(Object.create(server) as RunningServer, {
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  });
}

function operatorKeysDir(config: LoadedServerConfig): string {
  return config.path(config.operator_keys ?? 'operator');
}

async function openStorage(config: LoadedServerConfig, suite: Suite, keys: OperatorKeys): Promise<Storage> {
  const directory = /^level:(.+)$/.exec(config.storage)?.[1];
  if (directory === undefined) {
    throw new HashfedError('USAGE', 'storage: this build serves from level:DIR', { field: 'storage' });
  }
  return openLevelStorage({
    directory: config.path(directory),
    headsKey: keys.headsKey,
    sha: suite.sha256,
    clock,
    random,
    disk: nodeDisk,
    create: true,
  });
}

function openDirectory(config: LoadedServerConfig, storage: Storage, suite: Suite): Promise<DirectoryKeeper> {
  return DirectoryKeeper.open({
    suite,
    documents: storage.documents,
    federation: config.federation,
    pinned: fromHex(config.directory.first_sha256),
    first: async () => new Uint8Array(await readFile(config.path(config.directory.file))),
  });
}

function transportOf(config: LoadedServerConfig): Transport {
  const { tls } = config;
  if (tls === undefined) return { kind: 'plaintext-loopback' };
  return {
    kind: 'tls',
    files: {
      certificate: config.path(tls.certificate),
      key: config.path(tls.key),
      clientCa: config.path(tls.client_ca),
    },
    reloadMs: tls.reload_s * 1000,
  };
}
