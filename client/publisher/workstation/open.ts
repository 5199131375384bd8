import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadedConfig } from '../../../sdk/config/index.js';
import {
  type Clock,
  fromHex,
  HashfedError,
  isRootExpired,
  nextRoot,
  type PublisherRoot,
  type Random,
  type Suite,
  startRoot,
} from '../../../sdk/core/index.js';
import { callUnary, openChannel, type RpcChannel } from '../../../sdk/rpc/index.js';
import { ListServiceService } from '../../../sdk/rpc/services/list.js';
import { CALL_MS, MAX_ROOT_VERSIONS } from './limits.js';
import { WithdrawnMemory } from './withdrawn.js';

/** What a workstation is made of; commands hand in their own. */
export interface WorkstationDeps {
  readonly config: LoadedConfig;
  readonly suite: Suite;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Also under an expired root: what it takes to replace it. */
  readonly expiredRoot?: boolean;
}

/** Where a publisher's files lie, absolute. */
export interface PublisherPaths {
  readonly domain: string;
  readonly keys: string;
  readonly records: string;
  readonly outbox: string;
}

/** A publisher's online desk: connected, with its own root verified from the pinned fingerprint. MUST be closed. */
export interface Workstation extends WorkstationDeps {
  readonly channel: RpcChannel;
  readonly paths: PublisherPaths;
  readonly root: PublisherRoot;
  /** The newest root, verbatim: every signing request carries it. */
  readonly rootEnvelope: Uint8Array;
  /** What was withdrawn as wrong before. */
  readonly withdrawn: WithdrawnMemory;
}

/** The publisher's part of the configuration. Throws USAGE where there is none. */
export function publisherPaths(config: LoadedConfig): PublisherPaths {
  const { publisher } = config;
  if (publisher === undefined) {
    throw new HashfedError(
      'USAGE',
      `${config.file} is not a publisher's configuration: "publisher" is missing`,
      {
        field: 'publisher',
      },
    );
  }
  return {
    domain: publisher.domain,
    keys: config.path(publisher.keys_dir),
    records: config.path(publisher.records_dir),
    outbox: config.path(publisher.outbox_dir),
  };
}

/** Connects to the first source. Throws USAGE, UNAVAILABLE, and what verifying a root throws. */
export async function openWorkstation(deps: WorkstationDeps): Promise<Workstation> {
  const paths = publisherPaths(deps.config);
  const channel = await connect(deps);
  try {
    const { root, envelope } = await fetchOwnRoot(deps, channel);
    const withdrawn = await WithdrawnMemory.open(join(paths.records, 'withdrawn.macs'), deps.random);
    return { ...deps, channel, paths, root, rootEnvelope: envelope, withdrawn };
  } catch (error) {
    channel.close();
    throw error;
  }
}

/** A channel to the first source, under this member's certificate. Throws USAGE for files that cannot be read. */
export async function connect({ config, random }: WorkstationDeps): Promise<RpcChannel> {
  const source = config.sources[0]!;
  const read = async (written: string): Promise<Uint8Array> =>
    readFile(config.path(written)).catch((cause: unknown) => {
      throw new HashfedError('USAGE', `cannot read ${config.path(written)}`, { field: 'tls', cause });
    });
  return openChannel({
    address: source.address,
    tls: {
      ca: await read(config.tls.ca),
      certificate: await read(config.tls.cert),
      key: await read(config.tls.key),
    },
    ...(source.server_name !== undefined && { serverName: source.server_name }),
    random,
  });
}

/** Walks our own root chain from the pinned fingerprint to the newest version that the server holds. */
async function fetchOwnRoot(
  { config, suite, clock, signal, expiredRoot }: WorkstationDeps,
  channel: RpcChannel,
): Promise<{ root: PublisherRoot; envelope: Uint8Array }> {
  const publisher = `members/${config.member}`;
  const pinned = config.trust.find((one) => one.publisher === publisher);
  if (pinned === undefined) {
    throw new HashfedError(
      'USAGE',
      `${config.file} does not pin the root of ${publisher}; see hashfed trust add`,
      {
        field: 'trust',
      },
    );
  }
  const fetchVersion = (version: number) =>
    callUnary(
      channel,
      ListServiceService.getPublisherRoot,
      { publisher, version: BigInt(version) },
      { deadlineMs: CALL_MS, signal },
    );
  let { envelope, newestVersion } = await fetchVersion(1);
  let root = startRoot(suite, envelope, fromHex(pinned.root_sha256));
  for (let version = 2; BigInt(version) <= newestVersion && version <= MAX_ROOT_VERSIONS; version += 1) {
    ({ envelope, newestVersion } = await fetchVersion(version));
    root = nextRoot(suite, root, envelope);
  }
  if (expiredRoot !== true && isRootExpired(root, clock.nowMs()))
    throw new HashfedError('STALE', 'the publisher root is expired; sign and hand in a new version');
  return { root, envelope };
}
