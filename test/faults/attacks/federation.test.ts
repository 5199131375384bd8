import { parseNote } from '../../../sdk/core/index.js';
import { FIRST, ORIGIN, type World } from '../../support/liar/index.js';
import { MirrorRig, type RigOptions, signerOf } from '../../support/mirror-rig.js';
import { testKey } from '../../support/trust/keys.js';
import { cosigner } from '../../support/trust/log.js';
import { attacks } from './suite.js';

type Storage = Parameters<NonNullable<RigOptions['storage']>>[0];

const MIRROR = 'mirror.example/hashfed';

/** A mirror beside the client, for as long as `use` takes. */
async function withMirror(w: World, options: RigOptions, use: (mirror: MirrorRig) => unknown): Promise<void> {
  const mirror = await MirrorRig.open(w, options);
  try {
    await use(mirror);
  } finally {
    await mirror.remove();
  }
}

function must(condition: boolean, why: string): void {
  if (!condition) throw new Error(why);
}

/** A store whose commits come back as done, and are on no disk. */
function forgetful(storage: Storage): Storage {
  const logs = new Proxy(storage.logs, {
    get: (of, name) => {
      if (name === 'head') return () => Promise.resolve(undefined);
      const member: unknown = Reflect.get(of, name);
      return typeof member === 'function' ? member.bind(of) : member;
    },
  });
  return new Proxy(storage, {
    get: (of, name) => {
      if (name === 'logs') return logs;
      const member: unknown = Reflect.get(of, name);
      return typeof member === 'function' ? member.bind(of) : member;
    },
  });
}

function withLine(note: Uint8Array, line: string): Uint8Array {
  return new Uint8Array(Buffer.concat([note, Buffer.from(`${line}\n`)]));
}

/** The mirror's upstream shows what the mirror itself serves. */
function shownItself(w: World, mirror: MirrorRig): void {
  w.offer(() => mirror.following.statements.bundle(ORIGIN));
}

/** Its own key among those it carries, as where it is its own upstream. */
const KNOWS_ITSELF: RigOptions = {
  cosigners: { keys: [cosigner(testKey('mirror'), MIRROR).key], needed: 0 },
};

attacks('federation: mirrors', [
  {
    name: 'a mirror signs before its write is durable',
    mutation: 'signs what is durable',
    lie: () => {},
    act: (w) =>
      withMirror(w, { storage: (storage) => forgetful(storage) }, async (mirror) => {
        await mirror.follow();
        must(mirror.cosigned.length === 0, 'signed what no disk holds');
      }),
  },
  {
    name: 'a mirror that is its own upstream',
    mutation: 'signs once',
    lie: () => {},
    act: (w) =>
      withMirror(w, KNOWS_ITSELF, async (mirror) => {
        await mirror.follow();
        shownItself(w, mirror);
        for (let round = 0; round < 3; round++) await mirror.follow();
        must(mirror.cosigned.length === 1, `signed ${mirror.cosigned.length} times`);
        const { names, size } = await mirror.standing();
        must(size === FIRST + 1 && names.filter((name) => name === MIRROR).length === 1, names.join());
      }),
  },
  {
    name: "an upstream that brings the mirror's own signature along",
    mutation: 'carries no line of its own',
    lie: (w) => {
      const line = signerOf(cosigner(testKey('mirror'), MIRROR).key, 'mirror');
      w.offer(({ note }) => ({ note: withLine(note, line.sign(parseNote(note).body, 1)) }));
    },
    act: (w) =>
      withMirror(w, KNOWS_ITSELF, async (mirror) => {
        await mirror.follow();
        must(mirror.cosigned.length === 1, 'it serves a signature that it never made');
      }),
  },
]);
