import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { concat, HashfedError, parseNote, toHex, verifyNote } from '../../sdk/core/index.js';
import { verifyEquivocation } from '../../sdk/sync/index.js';
import { FIRST, ORIGIN, type Servers, startServers, World } from '../support/liar/index.js';
import { MirrorRig } from '../support/mirror-rig.js';
import { suite } from '../support/trust/keys.js';

let servers: Servers;
let world: World;
let rig: MirrorRig;
beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => servers.stop());
beforeEach(async () => {
  world = await World.make(servers, {});
  rig = await MirrorRig.open(world);
});
afterEach(async () => {
  await rig.remove();
  await world.remove();
});

/** Another history of the same length, signed with the publisher's own keys. */
function forkAbove(size: number): void {
  const forked = world.log.fork(size);
  forked.publish(world.adds(world.log.size - size - 1));
  world.serve(forked, 'two');
}

describe('an honest upstream', () => {
  test('is carried byte for byte, and cosigned', async () => {
    await rig.follow();
    expect(await rig.standing()).toEqual({
      size: FIRST + 1,
      root: toHex(world.log.at().root),
      names: [ORIGIN, world.police.approver, 'mirror.example/hashfed'],
    });
    expect(toHex(await rig.entries())).toBe(toHex(world.log.bundle(0)));
    const { note } = rig.following.statements.bundle(ORIGIN);
    expect(verifyNote(suite, note, [rig.mirrorKey]).verified).toHaveLength(1);
  });

  test('is followed again without a second cosignature of the same tree, also after a restart', async () => {
    await rig.follow();
    await rig.follow();
    await rig.restart();
    await rig.follow();
    world.more(5);
    await rig.follow();
    expect(rig.cosigned).toEqual([
      [FIRST + 1, FIRST + 1],
      [FIRST + 7, FIRST + 7],
    ]);
  });

  test('hands on an approval that came late', async () => {
    world.more(5, 'one');
    await rig.follow();
    world.police.commit(ORIGIN, world.log.size, 'two');
    await rig.follow();
    const { note, anchorNote } = rig.following.statements.bundle(ORIGIN);
    expect(parseNote(anchorNote).body).toBe(parseNote(note).body);
    expect((await rig.standing()).names).toContain(world.police.approver);
  });

  test('drops lines of unknown keys: a reader may know the key, and the line may be bad', async () => {
    world.offer(({ note }) => ({ note: concat(note, Buffer.from('— stranger.example AAAAAAAAAAAAAAAA\n')) }));
    await rig.follow();
    expect((await rig.standing()).names).not.toContain('stranger.example');
  });
});

/** An object with some members replaced; the others stay bound to it. */
function bent<T extends object>(target: T, over: Partial<T>): T {
  return new Proxy(target, {
    get: (of, name) => {
      if (Object.hasOwn(over, name)) return Reflect.get(over, name);
      const member: unknown = Reflect.get(of, name);
      return typeof member === 'function' ? member.bind(of) : member;
    },
  });
}

test('what could not be made durable is not cosigned, and is carried at the next try', async () => {
  await rig.remove();
  let broken = true;
  rig = await MirrorRig.open(world, {
    storage: (storage) => {
      const { logs } = storage;
      const commit: typeof logs.commit = (...args) =>
        broken ? Promise.reject(new HashfedError('OLD_SIZE_MISMATCH', 'not now')) : logs.commit(...args);
      return bent(storage, { logs: bent(logs, { commit }) });
    },
  });
  await expect(rig.follow()).rejects.toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
  expect([rig.cosigned, (await rig.standing()).size]).toEqual([[], 0]);
  broken = false;
  await rig.follow();
  expect(rig.cosigned).toEqual([[FIRST + 1, FIRST + 1]]);
});

describe('a lying upstream', () => {
  const lies: { name: string; code: string; lie: () => void }[] = [
    {
      name: 'a tampered entry',
      code: 'ROOT_MISMATCH',
      lie: () => {
        world.more(5);
        world.liar.lies.pull = (honest) =>
          honest.map((one) => {
            const bundle = one.bundle.slice();
            bundle[60]! ^= 1;
            return { ...one, bundle };
          });
      },
    },
    {
      name: 'entries left out',
      code: 'MALFORMED',
      lie: () => {
        world.more(20);
        world.liar.lies.pull = (honest) => honest.slice(1);
      },
    },
    { name: 'a lower size', code: 'ROLLBACK', lie: () => world.serve(world.log.fork(1), 'two') },
    {
      name: 'a note that nobody signed',
      code: 'BAD_SIGNATURE',
      lie: () => {
        world.more(5);
        world.offer(({ note }) => ({
          note: Buffer.from(
            Buffer.from(note)
              .toString()
              .replace(/\n(\d+)\n/, '\n9\n'),
          ),
        }));
      },
    },
    {
      name: 'more than one key may sign',
      code: 'THRESHOLD_NOT_MET',
      lie: () => world.more(40, 'one'),
    },
    {
      name: 'another tree that continues ours nowhere',
      code: 'ROOT_MISMATCH',
      lie: () => {
        const forked = world.log.fork(0);
        forked.publish(world.adds(70));
        world.serve(forked, 'two');
      },
    },
  ];

  test.each(lies)('$name: $code, and the last good state stays', async ({ code, lie }) => {
    await rig.follow();
    const before = await rig.standing();
    lie();
    await expect(rig.follow()).rejects.toMatchObject({ code });
    expect(await rig.standing()).toEqual(before);
    expect(rig.cosigned).toHaveLength(1);
    await rig.restart();
    expect(await rig.standing()).toEqual(before);
  });

  test('is passed over where an honest one stands beside it', async () => {
    await rig.remove();
    rig = await MirrorRig.open(world, { honest: true });
    await rig.follow();
    lies[0]!.lie();
    const { failures, size } = await rig.follow();
    expect(size).toBe(world.log.size);
    expect([[], ['ROOT_MISMATCH']]).toContainEqual(failures.map((one) => one.code));
  });
});

describe('a fork', () => {
  test('is kept as evidence that verifies offline; the list is neither carried on nor cosigned', async () => {
    await rig.follow();
    world.more(5, 'two');
    await rig.follow();
    const before = await rig.standing();
    forkAbove(FIRST + 1);
    await expect(rig.follow()).rejects.toMatchObject({ code: 'EQUIVOCATION' });
    const [evidence] = rig.evidence();
    const root = rig.following.book.of(ORIGIN);
    expect(verifyEquivocation(suite, root, evidence!)).toMatchObject({ origin: ORIGIN, kind: 'notes' });
    world.liar.lies = {};
    world.more(5, 'two');
    await expect(rig.follow()).rejects.toMatchObject({ code: 'EQUIVOCATION' });
    await rig.restart();
    await expect(rig.follow()).rejects.toMatchObject({ code: 'EQUIVOCATION' });
    expect(await rig.standing()).toEqual(before);
    expect(rig.cosigned).toHaveLength(2);
  });

  test('told by a signed statement alone is evidence too', async () => {
    await rig.follow();
    const other = { size: world.log.size, root: new Uint8Array(32).fill(7) };
    world.offer({ liveness: world.police.liveness(ORIGIN, other) });
    await expect(rig.follow()).rejects.toMatchObject({ code: 'EQUIVOCATION' });
    const root = rig.following.book.of(ORIGIN);
    expect(verifyEquivocation(suite, root, rig.evidence()[0]!).kind).toBe('statement');
  });

  test('two honest notes are no evidence', async () => {
    const first = world.police.head(ORIGIN)!.note;
    await rig.follow();
    const root = rig.following.book.of(ORIGIN);
    const none = new Uint8Array();
    const claim = { origin: ORIGIN, noteA: first, noteB: first, statementB: none, contradiction: none };
    const whole = { ...claim, foundMs: 0n, foundBy: '' };
    expect(() => verifyEquivocation(suite, root, whole)).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
    await expect(rig.following.equivocations.report(whole, 'members/hoster-a')).rejects.toMatchObject({
      code: 'MALFORMED',
    });
    await rig.follow();
  });

  test('of two sizes is shown by the larger tree and its beginning', async () => {
    await rig.follow();
    const root = rig.following.book.of(ORIGIN);
    const forked = world.log.fork(0);
    forked.publish(world.adds(60));
    const at = world.log.size;
    const noteA = world.police.head(ORIGIN)!.note;
    const noteB = world.police.note(ORIGIN, forked.at(), world.police.signers(ORIGIN, 'one'));
    const none = new Uint8Array();
    const contradiction = contradict(forked, at);
    const claim = { origin: ORIGIN, noteA, noteB, statementB: none, contradiction, foundMs: 0n, foundBy: '' };
    expect(verifyEquivocation(suite, root, claim).kind).toBe('extension');
    const honest = world.log.fork();
    honest.publish(world.adds(9));
    const next = world.police.note(ORIGIN, honest.at(), world.police.signers(ORIGIN, 'one'));
    const lie = { ...claim, noteB: next, contradiction: contradict(honest, at) };
    expect(() => verifyEquivocation(suite, root, lie)).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
  });
});

test('a larger signed tree that does not begin with ours is proven from its leaf hashes', async () => {
  await rig.follow();
  const before = await rig.standing();
  const forked = world.log.fork(0);
  forked.publish(world.adds(70));
  world.serve(forked, 'two');
  let asked = 0;
  world.liar.lies.pull = (honest, { from }) => {
    asked += 1;
    if (from > 0) return honest;
    return honest.map((one) => ({ ...one, bundle: suite.sha256.hashLeaves(one.bundle, one.count) }));
  };
  await expect(rig.follow()).rejects.toMatchObject({ code: 'EQUIVOCATION' });
  expect(asked).toBe(2);
  const root = rig.following.book.of(ORIGIN);
  expect(verifyEquivocation(suite, root, rig.evidence()[0]!)).toMatchObject({
    kind: 'extension',
    b: { size: 71 },
  });
  expect(await rig.standing()).toEqual(before);
});

/** The compact range at `size` and the leaf hashes from there on. */
function contradict(log: World['log'], size: number): Uint8Array {
  const edge = log.fork(size).snapshotIndex().compactRange;
  return concat(edge, ...log.leaves.slice(size).map((leaf) => suite.sha256.digest(Uint8Array.of(0), leaf)));
}

describe('a witness', () => {
  const anyone = () => undefined;
  const add = (oldSize: number, note: Uint8Array, proof: readonly Uint8Array[] = []) =>
    rig.witness.add({ oldSize, note, consistency: concat(...proof) }, anyone);

  beforeEach(async () => {
    await rig.following.book.refresh(rig.following.deps.sources[0]!, world.police.name);
  });

  test('cosigns the first checkpoint, the same again, and a proven extension', async () => {
    const first = world.police.head(ORIGIN)!.note;
    const line = await add(0, first);
    expect(verifyNote(suite, concat(first, Buffer.from(line)), [rig.witnessKey]).verified).toHaveLength(1);
    await add(FIRST + 1, first);
    world.more(5);
    await add(FIRST + 1, world.police.head(ORIGIN)!.note, world.log.prove(FIRST + 1, world.log.size));
  });

  test('remembers over a restart, and refuses what does not begin at its record', async () => {
    await add(0, world.police.head(ORIGIN)!.note);
    await rig.restart();
    world.more(5);
    const { note } = world.police.head(ORIGIN)!;
    await expect(add(0, note)).rejects.toMatchObject({ code: 'OLD_SIZE_MISMATCH' });
    const wrong = world.log.prove(FIRST + 1, world.log.size).map((hash) => hash.map((byte) => byte ^ 1));
    await expect(add(FIRST + 1, note, wrong)).rejects.toMatchObject({ code: 'ROOT_MISMATCH' });
  });

  test('refuses a fork, keeps both notes, and signs no more for the list', async () => {
    world.more(5);
    await add(0, world.police.head(ORIGIN)!.note);
    const forked = world.log.fork(FIRST + 1);
    forked.publish(world.adds(5));
    const other = world.police.note(ORIGIN, forked.at(), world.police.signers(ORIGIN, 'two'));
    await expect(add(world.log.size, other)).rejects.toMatchObject({ code: 'EQUIVOCATION' });
    expect(rig.evidence()).toHaveLength(1);
    const again = add(world.log.size, world.police.head(ORIGIN)!.note);
    await expect(again).rejects.toMatchObject({ code: 'EQUIVOCATION' });
  });

  test('refuses what the publisher did not sign', async () => {
    const stranger = world.police.note(ORIGIN, world.log.at(), [world.police.approval()]);
    await expect(add(0, stranger)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' });
  });
});
