import { dirname, join } from 'node:path';
import {
  boxKeyAt,
  fromHex,
  HashfedError,
  type Member,
  type MemberDirectory,
  seedSigner,
  signingKeysAt,
} from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { callUnary, type RpcChannel } from '../../sdk/rpc/index.js';
import { DirectoryServiceService } from '../../sdk/rpc/services/directory.js';
import { MemberBook } from '../../sdk/telemetry/index.js';
import type { CliContext } from '../cli/index.js';
import { buildNextDirectory, type DirectoryChange, type MemberPlan } from '../federation/index.js';
import { connect } from '../publisher/index.js';
import { readKey } from '../publisher/keys/index.js';
import { askPassphrase } from './publisher-shared.js';

const CALL_MS = 10_000;
const DIRECTORY_DAYS = 365;

export interface OpenDirectory {
  readonly channel: RpcChannel;
  /** Verified from the pinned first version. */
  readonly directory: MemberDirectory;
}

/** Fetches the member directory, verifies every version, and runs `work` on the newest. */
export async function withDirectory<T>(
  context: CliContext,
  work: (open: OpenDirectory) => Promise<T>,
): Promise<T> {
  const config = await context.config();
  const { clock, random, signal } = context;
  const { directory_sha256: pinned, federation } = config;
  if (pinned === undefined)
    throw new HashfedError('USAGE', `${config.file}: directory_sha256: no directory is pinned`, {
      field: 'directory_sha256',
    });
  const suite = platformSuite();
  const channel = await connect({ config, suite, clock, random, signal });
  try {
    const book = await MemberBook.open({ suite, federation, pinned: fromHex(pinned) });
    await book.refresh(channel, signal);
    if (book.current === undefined)
      throw new HashfedError('NOT_FOUND', 'the server has no member directory', { field: 'directory' });
    return await work({ channel, directory: book.current });
  } finally {
    channel.close();
  }
}

/** Where the directory keys lie; a federation with several signers has each of them sign with its own. */
export interface SignOptions {
  readonly directoryKey?: readonly string[];
}

export type Change = Pick<DirectoryChange, 'put' | 'revoke'>;

/** Signs the next version and hands it in; answers its number. */
export async function changeDirectory(
  context: CliContext,
  { channel, directory }: OpenDirectory,
  change: Change,
  { directoryKey }: SignOptions,
): Promise<number> {
  const config = await context.config();
  const suite = platformSuite();
  const files = directoryKey ?? [join(dirname(config.file), 'directory.key')];
  const signers = [];
  for (const file of files) {
    const passphrase = await askPassphrase(context, file);
    const key = await readKey(file, 'directory', suite.ed25519, passphrase);
    signers.push(seedSigner(suite.ed25519, key.seed));
  }
  const plan = { ...change, issuedAtMs: context.clock.nowMs(), days: DIRECTORY_DAYS };
  const { envelope } = buildNextDirectory(suite, directory, plan, signers);
  const limits = { deadlineMs: CALL_MS, signal: context.signal };
  const { version } = await callUnary(channel, DirectoryServiceService.putDirectory, { envelope }, limits);
  return Number(version);
}

/** A member as it stands, to be changed. Throws NOT_FOUND. */
export function planOf({ members }: MemberDirectory, name: string, nowMs: number): MemberPlan {
  const member = requireMember(members, name);
  const boxKey = boxKeyAt(member, nowMs);
  return {
    name,
    displayName: member.displayName,
    roles: member.roles,
    readableLists: member.readableLists,
    domains: member.domains,
    signingKeys: signingKeysAt(member, nowMs),
    boxKeys: boxKey === undefined ? [] : [boxKey],
  };
}

function requireMember(members: ReadonlyMap<string, Member>, name: string): Member {
  const member = members.get(`members/${name}`);
  if (member === undefined)
    throw new HashfedError('NOT_FOUND', `the directory knows no member ${name}; see hashfed member list`, {
      field: 'NAME',
    });
  return member;
}

const NAME = /^[a-z0-9-]{1,64}$/;

/** A member name as typed, with or without `members/`. Throws USAGE. */
export function readName(text: string): string {
  const name = text.startsWith('members/') ? text.slice('members/'.length) : text;
  if (!NAME.test(name))
    throw new HashfedError('USAGE', 'a member name is made of 1 to 64 of a-z, 0-9 and -', { field: 'NAME' });
  return name;
}
