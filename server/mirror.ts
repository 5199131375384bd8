import { randomBytes, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Clock, fromHex, HashfedError, parseVkey, type Random } from '../sdk/core/index.js';
import { platformSuite } from '../sdk/hash/platform/index.js';
import { connectSources, NO_COSIGNERS, RootBook, type SyncDeps } from '../sdk/sync/index.js';
import { DirectoryKeeper, identify } from './access/index.js';
import type { LoadedServerConfig } from './config/index.js';
import {
  CarriedStatements,
  type Cosigner,
  Equivocations,
  type Following,
  followForever,
  type LoadedMirrorConfig,
  openCosigner,
  RootDocuments,
  storeOf,
  Witness,
} from './federation/index.js';
import { type Engine, openEngine, Snapshots, Upkeep } from './log/index.js';
import type { Log } from './logging/index.js';
import { openOperatorKeys } from './operator-keys.js';
import { directoryService } from './services/directory.js';
import { federationService } from './services/federation.js';
import { listService } from './services/list.js';
import { type RunningServer, startServer, type Transport } from './shell/index.js';
import { nodeDisk } from './storage/disk.js';
import { openLevelStorage } from './storage/level/index.js';

const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };
const suite = platformSuite();

/** A mirror that serves, and the end that nobody asked for. */
export interface ServingMirror extends RunningServer {
  /** Rejects with STORAGE_FAILED where the store failed. Never resolves. */
  readonly failed: Promise<never>;
}

/**
 * Runs a mirror: the log engine of a server, filled by following upstreams instead of by publishers. What it returns
 * is ready to serve what it held before; what is new arrives while it serves.
 */
export async function mirror(config: LoadedMirrorConfig, log: Log): Promise<ServingMirror> {
  const { server } = config;
  const keysFolder = server.path(server.operator_keys ?? 'operator');
  const keys = await openOperatorKeys(nodeDisk, keysFolder, suite.ed25519);
  const storage = await openLevelStorage({
    directory: storageFolder(server),
    headsKey: keys.headsKey,
    sha: suite.sha256,
    clock,
    random,
    disk: nodeDisk,
    create: true,
  });
  try {
    const engine = await openEngine({ storage, suite, clock, random, log }, keys.memoryKey);
    return await serveAndFollow(config, engine, {
      mirror: await cosigner(config, keysFolder, 'mirror'),
      witness: await cosigner(config, keysFolder, 'witness'),
    });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

interface Cosigners {
  readonly mirror: Cosigner | undefined;
  readonly witness: Cosigner | undefined;
}

async function serveAndFollow(
  config: LoadedMirrorConfig,
  engine: Engine,
  cosigners: Cosigners,
): Promise<ServingMirror> {
  const { server } = config;
  const directory = await openDirectory(server, engine);
  const deps = await syncDeps(config, engine);
  const book = await RootBook.open(deps);
  const statements = new CarriedStatements(engine);
  await statements.open();
  const equivocations = await Equivocations.open(engine, await ownName(config));
  const following: Following = { engine, deps, book, statements, equivocations, cosigner: cosigners.mirror };
  const witness = cosigners.witness && new Witness(engine, cosigners.witness, equivocations);
  const snapshots = new Snapshots(engine);
  const upkeep = new Upkeep(engine, statements.issuer, snapshots);
  const running = await startServer({
    listen: server.listen,
    federation: server.federation,
    transport: transportOf(server),
    limits: server.limits,
    services: [
      listService(engine, statements, snapshots),
      directoryService(directory),
      federationService(equivocations, witness),
    ],
    directory: directory.holder,
    clock,
    log: engine.log,
  });
  upkeep.start();
  const stopping = new AbortController();
  const followed = followForever({ following, directory, lists: config.lists }, stopping.signal);
  const crashed = followed.then(() => new Promise<never>(() => undefined));
  running.setReady(true);
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    stopping.abort(new HashfedError('CANCELLED', 'the mirror is stopping'));
    await followed.catch(() => undefined);
    await running.stop();
    await upkeep.stop();
    for (const { channel } of deps.sources) channel.close();
    await engine.turns.run(async () => undefined);
    await engine.storage.close();
  };
  const { host, port, address } = running;
  return {
    host,
    port,
    address,
    failed: Promise.race([upkeep.failed, crashed]),
    get inFlight() {
      return running.inFlight;
    },
    setReady: (ready) => running.setReady(ready),
    reloadCertificates: () => running.reloadCertificates(),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Resource name of the member whose certificate this is. Throws USAGE, NOT_AUTHENTICATED. */
async function ownName({ identity, server }: LoadedMirrorConfig): Promise<string> {
  const pem = await readFile(identity.cert).catch((cause: unknown) => {
    throw new HashfedError('USAGE', `identity.cert: cannot read ${identity.cert}`, {
      field: 'identity.cert',
      cause,
    });
  });
  const { raw } = new X509Certificate(pem);
  return `members/${identify(new Uint8Array(raw), server.federation).member}`;
}

async function syncDeps(config: LoadedMirrorConfig, engine: Engine): Promise<SyncDeps> {
  const { ca, cert, key } = config.identity;
  const upstreams = config.upstreams.map(({ address, server_name }) => ({
    address,
    ...(server_name !== undefined && { serverName: server_name }),
  }));
  const { cosigners } = config;
  return {
    store: storeOf(new RootDocuments(engine)),
    suite,
    clock,
    random,
    sources: await connectSources(upstreams, { ca, certificate: cert, key }, random),
    trust: config.trust.map(({ publisher, root_sha256 }) => ({
      publisher,
      fingerprint: fromHex(root_sha256),
    })),
    cosigners:
      cosigners === undefined
        ? NO_COSIGNERS
        : { needed: cosigners.threshold, keys: cosigners.keys.map((text) => parseVkey(suite.sha256, text)) },
  };
}

async function cosigner(
  { cosign }: LoadedMirrorConfig,
  folder: string,
  role: 'mirror' | 'witness',
): Promise<Cosigner | undefined> {
  const name = cosign[role];
  return name === undefined ? undefined : openCosigner({ disk: nodeDisk, suite, random }, folder, role, name);
}

function openDirectory(server: LoadedServerConfig, { storage }: Engine): Promise<DirectoryKeeper> {
  return DirectoryKeeper.open({
    suite,
    documents: storage.documents,
    federation: server.federation,
    pinned: fromHex(server.directory.first_sha256),
    first: async () => new Uint8Array(await readFile(server.path(server.directory.file))),
  });
}

function storageFolder({ storage, path }: LoadedServerConfig): string {
  const directory = /^level:(.+)$/.exec(storage)?.[1];
  if (directory === undefined)
    throw new HashfedError('USAGE', 'server.storage: a mirror keeps its lists in level:DIR', {
      field: 'storage',
    });
  return path(directory);
}

function transportOf({ tls, path }: LoadedServerConfig): Transport {
  if (tls === undefined) return { kind: 'plaintext-loopback' };
  const files = { certificate: path(tls.certificate), key: path(tls.key), clientCa: path(tls.client_ca) };
  return { kind: 'tls', files, reloadMs: tls.reload_s * 1000 };
}
