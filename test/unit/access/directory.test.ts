import { createHash, randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  buildFirstDirectory,
  buildNextDirectory,
  type MemberPlan,
} from '../../../client/federation/index.js';
import { type BodySigner, seedSigner, signDsse } from '../../../sdk/core/index.js';
import { nodeEd25519, nodeSha256 } from '../../../sdk/hash/platform/index.js';
import { DirectoryKeeper } from '../../../server/access/index.js';
import { silentLog } from '../../../server/logging/index.js';
import { directoryService } from '../../../server/services/directory.js';
import type { CallContext } from '../../../server/shell/index.js';
import type { DocumentStore } from '../../../server/storage/index.js';

const suite = { sha256: nodeSha256, ed25519: nodeEd25519 };
const signer = (): BodySigner => seedSigner(nodeEd25519, new Uint8Array(randomBytes(32)));
const NOW = 1_790_000_000_000;
const plan = (name: string, roles: MemberPlan['roles']): MemberPlan => ({
  name,
  displayName: name.toUpperCase(),
  roles,
  readableLists: ['police.example/stream/sha256', 'operator.example/selftest/*'],
  signingKeys: [signer().publicKey],
});

/** The part of the document store that the keeper uses: versions by name, put only as the next one. */
class Documents {
  readonly held = new Map<string, Uint8Array>();
  async get(kind: string, name: string, version?: number) {
    const bytes = this.held.get(`${kind} ${name} ${version}`);
    return bytes === undefined ? undefined : { kind, name, version, bytes };
  }
  async put(...documents: readonly { kind: string; name: string; version: number; bytes: Uint8Array }[]) {
    for (const { kind, name, version, bytes } of documents) {
      if (this.held.has(`${kind} ${name} ${version}`)) return false;
      this.held.set(`${kind} ${name} ${version}`, bytes);
    }
    return true;
  }
}

const operator = signer();
const members = [
  plan('operator', ['operator', 'monitor']),
  plan('hoster-b', ['hoster']),
  plan('hoster-a', ['hoster']),
];
const first = buildFirstDirectory(suite, {
  federation: 'test.example',
  issuedAtMs: NOW,
  days: 365,
  signers: [{ member: 'operator', signer: operator }],
  members,
});
let documents: Documents;
const open = (pinned = first.directory.sha256, federation = 'test.example') =>
  DirectoryKeeper.open({
    suite,
    documents: documents as unknown as DocumentStore,
    federation,
    pinned,
    first: async () => first.envelope,
  });
const code = (name: string) => expect.objectContaining({ code: name });
beforeEach(() => {
  documents = new Documents();
});

describe('building', () => {
  it('makes a development directory of one signer, and a real one of two', () => {
    expect(first.directory.development).toBe(true);
    expect([...first.directory.members.keys()]).toEqual([
      'members/hoster-a',
      'members/hoster-b',
      'members/operator',
    ]);
    const body = createHash('sha256').update(first.directory.body).digest('hex');
    expect(Buffer.from(first.directory.sha256).toString('hex')).toBe(body);
    const two = buildFirstDirectory(suite, {
      federation: 'test.example',
      issuedAtMs: NOW,
      days: 365,
      signers: [
        { member: 'operator', signer: operator },
        { member: 'hotline', signer: signer() },
      ],
      members,
    });
    expect([two.directory.development, two.directory.threshold]).toEqual([false, 2]);
    const change = { issuedAtMs: NOW + 1, days: 365, revoke: ['hoster-a'] };
    expect(() => buildNextDirectory(suite, two.directory, change, [operator])).toThrow(
      code('THRESHOLD_NOT_MET'),
    );
  });

  it('keeps what revoked and changed members signed judgeable', () => {
    const before = first.directory.members.get('members/hoster-a');
    const changed = plan('hoster-a', ['hoster', 'mirror']);
    const next = buildNextDirectory(
      suite,
      first.directory,
      { issuedAtMs: NOW + 5, days: 365, put: [changed], revoke: ['hoster-b'] },
      [operator],
    );
    expect(next.directory.version).toBe(2);
    expect(next.directory.members.get('members/hoster-b')?.status).toBe('revoked');
    const after = next.directory.members.get('members/hoster-a');
    expect(after?.roles).toEqual(['hoster', 'mirror']);
    expect(after?.validFromMs).toBe(NOW);
    expect(after?.signingKeys).toHaveLength(2);
    expect(after?.signingKeys[0]).toMatchObject({ key: before?.signingKeys[0]?.key, validUntilMs: NOW + 5 });
    expect(after?.signingKeys[1]?.validFromMs).toBe(NOW + 5);
  });

  it('refuses what readers would refuse', () => {
    const build = (member: MemberPlan) => () =>
      buildNextDirectory(suite, first.directory, { issuedAtMs: NOW, days: 1, put: [member] }, [operator]);
    expect(build({ ...plan('x', ['hoster']), readableLists: ['not a list'] })).toThrow(code('MALFORMED'));
    expect(build({ ...plan('x', []) })).toThrow(code('MALFORMED'));
    expect(build(plan('Bad Name', ['hoster']))).toThrow(code('MALFORMED'));
    const change = { issuedAtMs: NOW, days: 1, revoke: ['nobody'] };
    expect(() => buildNextDirectory(suite, first.directory, change, [operator])).toThrow(code('NOT_FOUND'));
  });
});

describe('the keeper', () => {
  it('stores version 1 on the first start and never asks for it again', async () => {
    const keeper = await open();
    expect(keeper.holder.current.member('hoster-a')?.roles).toEqual(new Set(['hoster']));
    expect(await keeper.envelope(1)).toEqual(first.envelope);
    expect(await keeper.envelope(2)).toBeUndefined();
    const again = await DirectoryKeeper.open({
      suite,
      documents: documents as unknown as DocumentStore,
      federation: 'test.example',
      pinned: first.directory.sha256,
      first: () => Promise.reject(new Error('asked again')),
    });
    expect(again.current.version).toBe(1);
  });

  it('refuses another directory than the pinned one, and one of another federation', async () => {
    await expect(open(new Uint8Array(32))).rejects.toThrow(code('BAD_SIGNATURE'));
    await expect(open(undefined, 'other.example')).rejects.toThrow(code('USAGE'));
    expect(documents.held.size).toBe(0);
  });

  it('puts the next version in force at once, and finds it after a restart', async () => {
    const keeper = await open();
    const heard: number[] = [];
    keeper.holder.onReplaced((directory) => heard.push(directory.version));
    const change = { issuedAtMs: NOW + 1, days: 365, revoke: ['hoster-a'] };
    const second = buildNextDirectory(suite, first.directory, change, [operator]);
    expect(await Promise.all([keeper.put(second.envelope), keeper.put(second.envelope)])).toEqual([2, 2]);
    expect(heard).toEqual([2]);
    expect(keeper.holder.current.member('hoster-a')?.status).toBe('revoked');
    expect((await open()).current.version).toBe(2);
  });

  it('refuses forged, skipped, older and rival versions, and keeps what it has', async () => {
    const keeper = await open();
    const at = (issuedAtMs: number, days = 365) => ({ issuedAtMs, days });
    const second = buildNextDirectory(suite, first.directory, at(NOW + 1), [operator]);
    const third = buildNextDirectory(suite, second.directory, at(NOW + 2), [operator]);
    await expect(keeper.put(third.envelope)).rejects.toThrow(code('BAD_SIGNATURE'));
    const forged = signDsse('directory', second.directory.body, [signer()]);
    await expect(keeper.put(forged)).rejects.toThrow(code('THRESHOLD_NOT_MET'));
    await expect(keeper.put(new Uint8Array([1, 2, 3]))).rejects.toThrow(code('MALFORMED'));
    await keeper.put(second.envelope);
    const rival = buildNextDirectory(suite, first.directory, at(NOW + 9), [operator]);
    await expect(keeper.put(rival.envelope)).rejects.toThrow(code('EQUIVOCATION'));
    await keeper.put(third.envelope);
    await expect(keeper.put(second.envelope)).rejects.toThrow(code('ROLLBACK'));
    expect(keeper.current.version).toBe(3);
  });

  it('loses cleanly to another server of the same store, and follows it', async () => {
    const [one, two] = [await open(), await open()];
    const change = { issuedAtMs: NOW + 1, days: 365 };
    const second = buildNextDirectory(suite, first.directory, change, [operator]);
    await one.put(second.envelope);
    await expect(two.put(second.envelope)).rejects.toThrow(code('OLD_SIZE_MISMATCH'));
    await two.refresh();
    expect(two.current.version).toBe(2);
    expect(await two.put(second.envelope)).toBe(2);
  });
});

describe('DirectoryService', () => {
  const context = { log: silentLog } as CallContext;
  const handlers = async () =>
    directoryService(await open()).handlers as Record<
      string,
      (request: never, context: CallContext) => Promise<never>
    >;
  const call = async (name: string, request: object): Promise<Record<string, unknown>> =>
    (await handlers())[name]!(request as never, context);

  it('serves versions verbatim', async () => {
    expect(await call('getDirectory', { version: 0n })).toEqual({
      envelope: first.envelope,
      newestVersion: 1n,
    });
    await expect(call('getDirectory', { version: 2n })).rejects.toThrow(code('NOT_FOUND'));
    await expect(call('getDirectory', { version: 2n ** 60n })).rejects.toThrow(code('NOT_FOUND'));
  });

  it('takes a version', async () => {
    const next = buildNextDirectory(suite, first.directory, { issuedAtMs: NOW + 1, days: 365 }, [operator]);
    expect(await call('putDirectory', { envelope: next.envelope })).toEqual({ version: 2n });
  });

  it('lists members page by page', async () => {
    const names = async (request: object) => {
      const page = await call('listMembers', { role: 0, pageSize: 0, pageToken: '', ...request });
      return [(page['members'] as { name: string }[]).map((member) => member.name), page['nextPageToken']];
    };
    expect(await names({})).toEqual([['members/hoster-a', 'members/hoster-b', 'members/operator'], '']);
    expect(await names({ pageSize: 2 })).toEqual([
      ['members/hoster-a', 'members/hoster-b'],
      'members/hoster-b',
    ]);
    expect(await names({ pageSize: 2, pageToken: 'members/hoster-b' })).toEqual([['members/operator'], '']);
    expect(await names({ role: 3, pageSize: 2 })).toEqual([['members/hoster-a', 'members/hoster-b'], '']);
    await expect(names({ pageSize: 1_001 })).rejects.toThrow(code('MALFORMED'));
    await expect(names({ pageToken: 'x' })).rejects.toThrow(code('MALFORMED'));
  });

  it('has no handlers for what it does not offer', async () => {
    expect(Object.keys(await handlers()).sort()).toEqual(['getDirectory', 'listMembers', 'putDirectory']);
  });
});
