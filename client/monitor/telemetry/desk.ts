import type { LoadedConfig } from '../../../sdk/config/index.js';
import { type Clock, fromHex, HashfedError, type Random, type Suite } from '../../../sdk/core/index.js';
import { callUnary, type RpcChannel } from '../../../sdk/rpc/index.js';
import { ListServiceService } from '../../../sdk/rpc/services/list.js';
import { connectSources } from '../../../sdk/sync/index.js';
import { MemberBook, type ReceiptSigner, readSigningKey } from '../../../sdk/telemetry/index.js';
import { MAX_PAGES } from './read.js';

const CALL_MS = 30_000;

/** The monitor as its own member: a channel, the verified directory, and its key where one is configured. */
export interface MonitorDesk {
  readonly channel: RpcChannel;
  readonly suite: Suite;
  readonly members: MemberBook;
  readonly signer: ReceiptSigner | undefined;
}

export interface MonitorWorld {
  readonly config: LoadedConfig;
  readonly suite: Suite;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Connects and verifies the directory. Throws USAGE where the configuration names none. */
export async function openMonitor({ config, suite, random, signal }: MonitorWorld): Promise<MonitorDesk> {
  const { directory_sha256, federation, member, signing_key } = config;
  if (directory_sha256 === undefined)
    throw new HashfedError('USAGE', `${config.file}: directory_sha256: is needed to verify reports`, {
      field: 'directory_sha256',
    });
  const sources = config.sources.map(({ address, server_name }) => ({
    address,
    ...(server_name !== undefined && { serverName: server_name }),
  }));
  const { ca, cert, key } = config.tls;
  const files = { ca: config.path(ca), certificate: config.path(cert), key: config.path(key) };
  const [source, ...others] = await connectSources(sources, files, random);
  for (const { channel } of others) channel.close();
  const { channel } = source!;
  try {
    const members = await MemberBook.open({ suite, federation, pinned: fromHex(directory_sha256) });
    await members.refresh(channel, signal);
    const signer =
      signing_key === undefined ? undefined : await readSigningKey(config.path(signing_key), suite.ed25519);
    const name = `members/${member}`;
    return { channel, suite, members, signer: signer && { kind: 'monitor', name, signer } };
  } catch (error) {
    channel.close();
    throw error;
  }
}

/** Newest size of each list that the monitor may see. */
export async function newestSizes(
  channel: RpcChannel,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (let page = 0, pageToken = ''; page < MAX_PAGES; page += 1) {
    const request = { pageSize: 1_000, pageToken };
    const limits = { deadlineMs: CALL_MS, signal };
    const answer = await callUnary(channel, ListServiceService.listLists, request, limits);
    for (const { origin, size } of answer.lists) sizes.set(origin, Number(size));
    if (answer.nextPageToken === '' || answer.nextPageToken === pageToken) return sizes;
    pageToken = answer.nextPageToken;
  }
  throw new HashfedError('MALFORMED', 'the server has no end of pages');
}
