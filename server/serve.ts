import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Clock, fromHex, HashfedError, type Random, type Suite } from '../sdk/core/index.js';
import { platformSuite } from '../sdk/hash/platform/index.js';
import { type BudgetRate, type Budgets, DirectoryKeeper, MemoryBudgets } from './access/index.js';
import type { LoadedServerConfig } from './config/index.js';
import { Equivocations } from './federation/index.js';
import {
  type Engine,
  FreshnessIssuer,
  loadBootstrap,
  openEngine,
  Snapshots,
  Statements,
  Upkeep,
} from './log/index.js';
import type { Log } from './logging/index.js';
import { type OperatorKeys, openOperatorKeys } from './operator-keys.js';
import { directoryService } from './services/directory.js';
import { federationService } from './services/federation.js';
import { listService } from './services/list.js';
import { publishService } from './services/publish.js';
import { queryService } from './services/query.js';
import { telemetryService } from './services/telemetry.js';
import { type RunningServer, startServer, type Transport } from './shell/index.js';
import { nodeDisk } from './storage/disk.js';
import type { Storage } from './storage/index.js';
import { openLevelStorage } from './storage/level/index.js';

const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** A server that serves, and the end that nobody asked for. */
export interface ServingServer extends RunningServer {
  /** Rejects with STORAGE_FAILED where the store failed: stop, and let a supervisor start anew. Never resolves. */
  readonly failed: Promise<never>;
}

/** Opens everything a server needs, checks it, and listens. What it returns is ready. */
export async function serve(config: LoadedServerConfig, log: Log): Promise<ServingServer> {
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
): Promise<ServingServer> {
  const directory = await openDirectory(config, storage, suite);
  const started = clock.monotonicMs();
  const engine = await openEngine({ storage, suite, clock, random, log }, keys.memoryKey);
  if (config.bootstrap !== undefined)
    await loadBootstrap(engine, directory.holder.current, nodeDisk, config.path(config.bootstrap));
  const ms = Math.round(clock.monotonicMs() - started);
  log.info('lists.replayed', { count: engine.lists.origins().length, ms });
  const freshness = new FreshnessIssuer(engine, keys.freshness);
  const statements = new Statements(engine, freshness);
  await statements.open();
  const snapshots = new Snapshots(engine);
  const upkeep = new Upkeep(engine, freshness, snapshots);
  const budgets = budgetsOf(config);
  const server = await startServer({
    listen: config.listen,
    federation: config.federation,
    transport: transportOf(config),
    limits: config.limits,
    services: [
      listService(engine, statements, snapshots),
      publishService(engine, statements, directory, budgets),
      queryService(engine, statements, budgets),
      directoryService(directory),
      federationService(await Equivocations.open(engine, 'members/operator'), undefined),
      await telemetryService({ storage, suite, clock, log, directory, signing: keys.signing }, budgets),
    ],
    directory: directory.holder,
    clock,
    log,
  });
  try {
    upkeep.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  server.setReady(true);
  const stopping = withCleanup(server, () => cleanUp(engine, upkeep));
  return Object.assign(stopping, { failed: upkeep.failed });
}

async function cleanUp({ storage, turns }: Engine, upkeep: Upkeep): Promise<void> {
  await upkeep.stop();
  await turns.run(async () => undefined);
  await storage.close();
}

function withCleanup(server: RunningServer, cleanup: () => Promise<void>): RunningServer {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await server.stop();
    await cleanup();
  };
  const { host, port, address } = server;
  return {
    host,
    port,
    address,
    get inFlight() {
      return server.inFlight;
    },
    setReady: (ready) => server.setReady(ready),
    reloadCertificates: () => server.reloadCertificates(),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** What the configuration names; kinds without a rate are not limited. */
function budgetsOf({ budgets }: LoadedServerConfig): Budgets {
  const rates = Object.entries(budgets).flatMap(([kind, rate]) =>
    rate === undefined ? [] : [[kind, { burst: rate.burst, perSecond: rate.per_second }] as const],
  );
  return new MemoryBudgets(clock, Object.fromEntries<BudgetRate>(rates));
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
