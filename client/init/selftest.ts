import {
  ALG_COSIGNATURE,
  ALG_ED25519,
  CompactRange,
  encodeBundle,
  encodeLeaf,
  formatCheckpoint,
  formatNote,
  ListState,
  parseOrigin,
  signNote,
  utf8,
} from '../../sdk/core/index.js';
import type { DevelopmentPublisher, InitEnvironment } from './publisher-keys.js';

const SCHEME_TEST = 255;
const CODE_SELF_TEST = 1;

/** Harmless files whose hashes are on the operator's test list; a match answers `test` and is a drill. */
export const SELFTEST_FILES: Readonly<Record<string, string>> = {
  'selftest-1.txt':
    'hashfed self-test file 1. This text is harmless; a match on it means that matching works.\n',
  'selftest-2.txt':
    'hashfed self-test file 2. This text is harmless; a match on it means that matching works.\n',
  'selftest-3.txt':
    'hashfed self-test file 3. This text is harmless; a match on it means that matching works.\n',
};

/** The first batch of a list as a server takes it on an empty store. */
export interface SignedList {
  readonly origin: string;
  /** `(u16 length | leaf)*`. */
  readonly entries: Uint8Array;
  readonly note: Uint8Array;
}

/** The operator's test list, signed by both of its keys. */
export function makeSelftestList(environment: InitEnvironment, operator: DevelopmentPublisher): SignedList {
  const { suite, clock, random } = environment;
  const origin = operator.outline.lists[0]!.origin;
  const timeMs = clock.nowMs();
  const adds = Object.values(SELFTEST_FILES).map((content) =>
    encodeLeaf({
      kind: 'add',
      timeMs,
      hashType: 3,
      scheme: SCHEME_TEST,
      code: CODE_SELF_TEST,
      verifications: 1,
      itemId: random.bytes(16),
      blind: random.bytes(16),
      hash: suite.sha256.digest(utf8(content)),
      meta: new Uint8Array(),
      readd: false,
    }),
  );
  const staging = ListState.empty(parseOrigin(origin), suite.sha256).stage();
  staging.append(encodeBundle(adds), 0);
  const seal = encodeLeaf(staging.planSeal(timeMs, random.bytes(16)));
  staging.discard();
  const entries = encodeBundle([...adds, seal]);
  return { origin, entries, note: signBoth(environment, operator, origin, entries, adds.length + 1) };
}

function signBoth(
  { suite, clock }: InitEnvironment,
  { keys }: DevelopmentPublisher,
  origin: string,
  entries: Uint8Array,
  size: number,
): Uint8Array {
  const tree = CompactRange.empty(suite.sha256);
  tree.append(suite.sha256.hashLeaves(entries, size));
  const body = formatCheckpoint({ origin, size, root: tree.root() });
  const list = { name: origin, algorithm: ALG_ED25519, publicKey: keys.list.publicKey } as const;
  const approve = {
    name: keys.approve.name,
    algorithm: ALG_COSIGNATURE,
    publicKey: keys.approve.publicKey,
  } as const;
  return formatNote(body, [
    signNote(suite, body, list, keys.list.seed),
    signNote(suite, body, approve, keys.approve.seed, Math.floor(clock.nowMs() / 1000)),
  ]);
}
