import type { MemberDirectory } from '../../../proto/gen/hashfed/v1/directory.js';
import { nextDirectory, portableSha256, startDirectory } from '../../../sdk/core/index.js';
import { directoryMessage, encodeDirectory, pk, SIGNERS, signBody } from '../../support/trust/bodies.js';
import { suite, type TestKey, testKey } from '../../support/trust/keys.js';
import { attacks } from './suite.js';

const [OPERATOR, HOTLINE] = SIGNERS;
const MONITOR = testKey('monitor');
const V1 = directoryMessage();
const sign = (message: MemberDirectory, ...keys: TestKey[]): Uint8Array =>
  signBody('directory', encodeDirectory(message), ...keys);
const digest = (message: MemberDirectory): Uint8Array => portableSha256.digest(encodeDirectory(message));
const after = (before: MemberDirectory, bend: Partial<MemberDirectory> = {}): MemberDirectory => ({
  ...before,
  version: before.version + 1n,
  previousSha256: digest(before),
  ...bend,
});
const THIEF = { member: 'members/operator', key: pk(testKey('thief')) };

/** A client that pinned version 1 and holds the last of `chain` is shown `envelope`. */
const shown =
  (envelope: Uint8Array, ...chain: MemberDirectory[]) =>
  () => {
    const held = chain.reduce(
      (directory, message) => nextDirectory(suite, directory, sign(message, OPERATOR, HOTLINE, MONITOR)),
      startDirectory(suite, sign(V1, OPERATOR, HOTLINE), digest(V1)),
    );
    return nextDirectory(suite, held, envelope);
  };

const V2 = after(V1);
const V3 = after(V1, { signers: [...V1.signers, { member: 'members/monitor', key: pk(MONITOR) }] });
const V4 = after(V3, { threshold: 3 });
const THREE = directoryMessage({ signers: [...V1.signers, { ...THIEF, member: 'members/monitor' }] });

attacks('servers: the member directory', [
  {
    name: 'another first directory than the pinned one',
    mutation: 'pinned directory',
    code: 'BAD_SIGNATURE',
    core: () =>
      startDirectory(suite, sign({ ...V1, expiresMs: V1.expiresMs + 1n }, OPERATOR, HOTLINE), digest(V1)),
  },
  {
    name: 'a first directory that one of its signers did not sign',
    mutation: 'every first signer',
    code: 'THRESHOLD_NOT_MET',
    core: () => startDirectory(suite, sign(THREE, OPERATOR, HOTLINE), digest(THREE)),
  },
  {
    name: "members' keys swapped by the operator alone",
    mutation: 'old directory threshold',
    code: 'THRESHOLD_NOT_MET',
    core: shown(
      sign(
        after(V1, { signers: [V1.signers[0]!, { ...THIEF, member: 'members/hotline' }] }),
        OPERATOR,
        testKey('thief'),
      ),
    ),
  },
  {
    name: 'new signers who did not sign',
    mutation: 'new directory threshold',
    code: 'THRESHOLD_NOT_MET',
    core: shown(
      sign(
        after(V1, { signers: [THIEF, { ...THIEF, member: 'members/x', key: pk(testKey('x')) }] }),
        OPERATOR,
        HOTLINE,
      ),
    ),
  },
  {
    name: 'an older directory',
    mutation: 'directory never goes back',
    code: 'ROLLBACK',
    core: shown(sign(V1, OPERATOR, HOTLINE), V2),
  },
  {
    name: 'two directories of one version',
    mutation: 'two directories of one version',
    code: 'EQUIVOCATION',
    core: shown(sign({ ...V2, expiresMs: V2.expiresMs + 1n }, OPERATOR, HOTLINE), V2),
  },
  {
    name: 'a directory version skipped',
    mutation: 'next directory version only',
    code: 'BAD_SIGNATURE',
    core: shown(sign(after(V1, { version: 3n }), OPERATOR, HOTLINE)),
  },
  {
    name: 'a threshold that falls',
    mutation: 'directory threshold never falls',
    code: 'MALFORMED',
    core: shown(sign(after(V4, { threshold: 2 }), OPERATOR, HOTLINE, MONITOR), V3, V4),
  },
  {
    name: 'a real federation that becomes one for development',
    mutation: 'development is over',
    code: 'MALFORMED',
    core: shown(sign(after(V1, { development: true }), OPERATOR, HOTLINE)),
  },
  {
    name: "another federation's directory",
    mutation: 'same federation',
    code: 'BAD_SIGNATURE',
    core: shown(sign(after(V1, { federation: 'other.example' }), OPERATOR, HOTLINE)),
  },
]);
