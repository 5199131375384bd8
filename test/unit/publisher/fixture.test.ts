import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  FramedReader,
  loadRecord,
  openBatch,
  parseSigned,
  REQUEST_FILE,
  readKey,
  recordDisk,
  reviewRequest,
  signRequest,
} from '../../../client/publisher/index.js';
import { WithdrawnMemory } from '../../../client/publisher/workstation/withdrawn.js';
import { forEachLeaf, toHex } from '../../../sdk/core/index.js';
import { random, suite } from './request-fixture.js';

const ORIGINS = ['md5', 'sha1', 'sha256'].map((type) => `hotline.example/known/${type}/g1`);
/** The batch was made then: entries may be 10 minutes ahead of a signer's clock, not more. */
const clock = { nowMs: () => 1_795_790_400_000, monotonicMs: () => 0 };
const PASSPHRASE = 'a fixture, not a secret';
let scratch = '';

/** Signing writes beside the files: the fixture itself is never touched. */
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hashfed-publisher-'));
  await cp('test/fixtures/publisher/v1', scratch, { recursive: true });
});
afterAll(() => rm(scratch, { recursive: true }));

const at = (name: string) => join(scratch, name);
const bytesOf = async (name: string) => new Uint8Array(await readFile(at(name)));
const sha256 = (text: string) => new Uint8Array(createHash('sha256').update(text).digest());
const keyOf = (role: 'list' | 'approve') => readKey(at(`${role}.key`), role, suite.ed25519, PASSPHRASE);

describe('the committed files of the publishing path, format 1', () => {
  it('batch file', async () => {
    const { batch, reader } = await openBatch(at('known.hfbatch'));
    expect(batch.lists.map(({ origin }) => origin)).toEqual(ORIGINS);
    const leaves: number[] = [];
    for (const _ of batch.lists) {
      let found = 0;
      for await (const bundle of reader.bundles()) forEachLeaf(bundle, () => (found += 1));
      leaves.push(found);
    }
    await reader.end();
    await reader.close();
    expect(leaves).toEqual([3, 3, 3]);
  });

  it.each(['list', 'approve'] as const)('signing request and its sheet: %s', async (role) => {
    const reader = await FramedReader.open(at(`${role}.hfrequest`), REQUEST_FILE);
    await reader.close();
    const sheet = await reviewRequest(suite, clock, at(`${role}.hfrequest`));
    expect(sheet.code).toBe('haso gaba tofo mabo viko gida');
    expect(sheet.lists.map(({ origin, from, to, setCount }) => [origin, from, to, setCount])).toEqual(
      ORIGINS.map((origin) => [origin, 0, 4, 3]),
    );
  });

  it('keys, in clear and encrypted; a signed batch comes out the same again', async () => {
    const deps = { suite, clock, disk: recordDisk, recordFile: at('new.record') };
    const notes = parseSigned(await signRequest(deps, await keyOf('list'), at('list.hfrequest'))).notes;
    expect(notes).toEqual(parseSigned(await bytesOf('list.hfsigned')).notes);
    await expect(readKey(at('approve.key'), 'approve', suite.ed25519, 'another')).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  it("signer's record: what it released is released again, byte for byte", async () => {
    const deps = { suite, clock, disk: recordDisk, recordFile: at('approve.record') };
    const again = await signRequest(deps, await keyOf('approve'), at('approve.hfrequest'));
    expect(again).toEqual(await bytesOf('approve.hfsigned'));
  });

  it("signer's record: it signs nothing that does not begin where it stands", async () => {
    const key = await keyOf('list');
    const record = await loadRecord(recordDisk, at('list.record'), key.publicKey);
    expect(record?.heads.map(({ origin, size }) => [origin, Number(size)])).toEqual([
      [ORIGINS[0], 4],
      [ORIGINS[1], 4],
      [ORIGINS[2], 6],
    ]);
    const deps = { suite, clock, disk: recordDisk, recordFile: at('list.record') };
    await expect(signRequest(deps, key, at('list.hfrequest'))).rejects.toMatchObject({
      code: 'SIGNER_BEHIND',
    });
  });

  it('memory of what was withdrawn as wrong', async () => {
    const memory = await WithdrawnMemory.open(at('withdrawn.macs'), random);
    const known = ['withdrawn as wrong', 'withdrawn as duplicate'].map((text) =>
      memory.has(ORIGINS[2] ?? '', sha256(text)),
    );
    expect(known).toEqual([true, false]);
    expect(toHex((await bytesOf('withdrawn.macs')).subarray(0, 8))).toBe(
      Buffer.from('HFWRONG1').toString('hex'),
    );
  });
});
