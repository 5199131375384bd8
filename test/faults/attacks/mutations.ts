/**
 * The checks that the attacks run into. `replace` stands for the expression `find` while the mutation is on; `find` is
 * looked for behind `after` where it stands more than once. `test/support/run/mutate.mjs` demands that every case
 * fails once its check is taken out: a test that cannot fail proves nothing. A check that is made twice, by two layers,
 * is one mutation with two places.
 */
export interface Mutation {
  readonly file: string;
  readonly after?: string;
  readonly find: string;
  readonly replace: string;
}

const at =
  (folder: string) =>
  (file: string, find: string, replace: string, after?: string): Mutation => ({
    file: `sdk/${folder}/${file}.ts`,
    find,
    replace,
    ...(after !== undefined && { after }),
  });
const core = at('core');
const sync = at('sync');
const rpc = at('rpc');

export const MUTATIONS = {
  // Who signed a note, and over what.
  'sequencing key signed': core(
    'checkpoint-policy',
    "overlap(signed, countingKeys('list', keys, state, moment)) > 0",
    'true',
  ),
  'bad list signature rejects': core(
    'note',
    'verifyStrict(backend, key.publicKey, note.bodyBytes, signature.bytes)',
    'true',
  ),
  'bad cosignature rejects': core('note', 'verifyStrict(backend, key.publicKey, message, raw)', 'true'),
  'reduced scalar': core('signature', '!isReducedScalar(signature)', 'false'),
  'strong keys only': core('root-key', 'ed25519 && !isStrictPublicKey(key.key)', 'false'),
  'origin in the note': core('checkpoint-policy', 'checkpoint.origin !== origin', 'false'),
  'origin of the answer': sync('offer', "bundle.origin !== '' && bundle.origin !== origin", 'false'),
  'signature lines only': core('note', '!line.startsWith(SIGNATURE_PREFIX)', 'false'),
  'no control characters': core('note', '/[\\u0000-\\u0009\\u000b-\\u001f]/.test(text)', 'false'),
  'note length': core('note', 'bytes.length > MAX_NOTE_BYTES', 'false'),
  'signature line count': core('note', 'lines.length > MAX_NOTE_SIGNATURES', 'false'),
  'three body lines': core('checkpoint', "end !== '' || more.length > 0", 'false'),
  'size in decimal below 2^53': core(
    'checkpoint',
    '!/^(0|[1-9][0-9]{0,15})$/.test(size) || !isSize(Number(size))',
    'false',
  ),
  'canonical base64': core('base64', 'text.length % 4 !== 0 || toBase64(out) !== text', 'false'),
  'root of 32 bytes': core('checkpoint', 'hash.length !== HASH_BYTES', 'false'),
  // Signed bodies.
  'kind of body': core('dsse', 'type !== payloadType(kind)', 'false'),
  'DSSE threshold': core('dsse', 'count < rule.threshold', 'false'),
  'DSSE signature': core('dsse', 'verifyStrict(suite.ed25519, key, message, signature)', 'true'),
  'distinct DSSE keys': core('dsse', 'good.size', 'signed.signatures.length'),
  'canonical body': core('body', '!equalBytes(again, own)', 'false'),
  'numbers below 2^53': core('check', 'value < BigInt(min) || value > BigInt(max)', 'false'),
  // Roots.
  'pinned fingerprint': core(
    'root-chain',
    '!equalBytes(suite.sha256.digest(signed.body), fingerprint)',
    'false',
  ),
  'root never goes back': core('root-chain', 'next.version < current.version', 'false'),
  'root held already': core('root-chain', 'equalBytes(current.body, signed.body)', 'false'),
  'two roots of one version': core('root-chain', 'next.version === current.version', 'false'),
  'next root version only': core('root-chain', 'next.version !== current.version + 1', 'false'),
  'previous root named': core(
    'root-chain',
    '!equalBytes(next.previousSha256 ?? new Uint8Array(0), current.sha256)',
    'false',
  ),
  'same publisher': core('root-chain', 'next.publisher !== current.publisher', 'false'),
  'old root threshold': core(
    'root-chain',
    'checkRootSigners(suite, signed, current)',
    'undefined',
    'checkSuccessor(current, next);',
  ),
  'new root threshold': core('root-chain', 'checkRootSigners(suite, signed, next)', 'undefined'),
  'former keys kept': core('root-chain', 'same === undefined || !sameFormer(old, same)', 'false'),
  'generation steps by one': core('root-chain', 'step < 0 || step > 1', 'false'),
  'grant threshold': core('root-parse', 'grant.threshold < 1 || grant.threshold > most', 'false'),
  'one role per key': core('root-parse', 'unused.delete(toHex(bytes))', 'undefined'),
  'key listed once': core('root-parse', 'keys.size < message.keys.length', 'false'),
  'origin shape': core('origin', 'match === null', '(globalThis as any).hashfedMutant === 0'),
  'member name shape': core('check', '!/^members\\/[a-z0-9-]{1,64}$/.test(value)', 'false'),
  'former key not in use': core(
    'root-former',
    'sequencing !== undefined && equalBytes(sequencing.key, key.key)',
    'false',
  ),
  'two publishers, one list': sync('root-book', 'naming.length > 1', 'false'),
  'expired root': sync('offers', 'nowMs < root.expiresMs', 'true'),
  // Former keys.
  'former keys on prefixes only': core('checkpoint-policy', 'formerCounts(one, state, moment)', 'true'),
  'last good root': core(
    'checkpoint-policy',
    'equalBytes(state.root, lastGood.root)',
    'true',
    'if (state.size === lastGood.size) return ',
  ),
  // Cosigners.
  'cosigners needed': core('checkpoint-policy', 'names.length < policy.needed', 'false'),
  'cosigner names distinct': core(
    'checkpoint-policy',
    '[...new Set(counted.map((key) => key.name))]',
    'counted.map((key) => key.name)',
  ),
  'one key, one name': core('checkpoint-policy', 'name !== key.name', 'false'),
  'no own key cosigns': core('checkpoint-policy', 'keys.reserved.has(toHex(key.publicKey))', 'false'),
  'cosigners sign with time': core('checkpoint-policy', 'key.algorithm !== ALG_COSIGNATURE', 'false'),
  'cosignature not from the future': core('cosignature', 'timeS * 1000 <= nowMs + MAX_AHEAD_MS', 'true'),
  // Two keys.
  'an anchor has two keys': sync('anchoring', 'checkpoint.twoKey', 'true'),
  'served anchor has two keys': sync('offer', 'requireTwoKeys(anchor)', 'undefined'),
  'served anchor is not larger': sync('offer', 'anchor.size > checkpoint.size', 'false'),
  'anchor of the same size': sync(
    'offer',
    'anchor.size === checkpoint.size && !equalBytes(anchor.root, checkpoint.root)',
    'false',
  ),
  'anchor met on the way': sync('stage', "this.#checkRoot(anchor, 'anchor')", 'undefined'),
  'late anchor is a prefix': sync(
    'anchoring',
    'proveContinuity(deps, offer.source, origin.text, anchor, held.checkpoint, options.signal)',
    'undefined',
  ),
  'late anchor of the size held': sync('anchoring', 'equalBytes(anchor.root, held.checkpoint.root)', 'true'),
  'limit for one key': sync(
    'stage',
    'checkTail(settings, this.#countsSince(range, anchor.size))',
    'undefined',
  ),
  'additions counted': core('anchor', 'tail.added + tail.amended > limit', 'false'),
  'withdrawals counted': core('anchor', 'tail.withdrawnOld + tail.amended > limit', 'false'),
  're-adding needs two keys': core('anchor', 'tail.readded > 0', 'false'),
  'holds counted': core('anchor', 'tail.heldOld > MAX_HELD_OLD_RECORDS', 'false'),
  'no hold twice': core('anchor', 'tail.heldTwice', 'false'),
  min_signers: core('anchor', 'settings.minSigners === 2', 'false'),
  'lowered limit': core(
    'anchor',
    'settings.oneKeyLimit ?? Number.POSITIVE_INFINITY',
    'Number.POSITIVE_INFINITY',
  ),
  'swap needs two keys': core('anchor', 'twoKey || removed <= limitFor(settings, setCount)', 'true'),
  // Going back and forking.
  'no smaller size': core('anchor', 'next.size < held.size', 'false'),
  'one root per size': core('anchor', 'equalBytes(held.root, next.root)', 'true'),
  'not emptied': sync('offers', 'asking.replica.size === 0', 'true'),
  'split view': sync('offers', 'other !== undefined && !equalBytes(other.root, root)', 'false'),
  'statement and checkpoint agree': core('statements', 'equalBytes(statement.root, held.root)', 'true'),
  'statement names our root': core(
    'statements',
    'statement.rootVersion === root.version && !equalBytes(statement.rootSha256, root.sha256)',
    'false',
  ),
  // Time.
  'statement from the future': core('statements', 'timeMs > nowMs + MAX_AHEAD_MS', 'false'),
  'statement about this list': core('statements', 'said !== asked', 'false'),
  freshness_max: core('statements', 'Math.min(notAfterMs, issuedAtMs + freshnessMaxMs)', 'notAfterMs'),
  'withheld by statement': core('statements', 'statement.size > held.size', 'false'),
  'withheld shows': core(
    'currency',
    '(freshness?.size ?? 0) > held.size || (liveness?.size ?? 0) > held.size',
    'false',
  ),
  'newest statement stays': core('statements', 'held !== undefined && time(held) >= time(next)', 'false'),
  'FRESH ends': core('currency', 'age(nowMs, freshness.issuedAtMs, freshnessHeldMs) <= FRESH_MS', 'true'),
  'FRESH covers the state': core(
    'currency',
    'freshness === undefined || freshness.size < held.size',
    'freshness === undefined',
  ),
  'freshness expires': core('currency', 'age(nowMs, freshness.issuedAtMs, freshnessHeldMs) >= span', 'false'),
  'root expires': core('currency', 'nowMs >= rootExpiresMs', 'false'),
  'silence shows': core(
    'currency',
    'liveness === undefined || age(nowMs, liveness.timeMs, livenessHeldMs) > settings.maxSilenceMs',
    'false',
  ),
  'seal age shows': core('currency', 'nowMs - sealMs > settings.maxSealAgeMs', 'false'),
  'clock behind the list': core('currency', 'time <= nowMs + MAX_AHEAD_MS', 'true'),
  'clock put back': sync('clock-guard', 'now + CLOCK_BACK_MS < expected', 'false'),
  'monotonic age': core('currency', 'Math.max(nowMs - timeMs, heldMs)', 'nowMs - timeMs'),
  'wait is capped': sync('peer', 'Math.min(MAX_WAIT_MS, minWaitMs)', 'minWaitMs'),
  'statements under a new root': sync('replica', 'this.#root === root', 'true'),
  // Entries.
  'entries make the root': sync('stage', "this.#checkRoot(target, 'checkpoint')", 'undefined'),
  'place in the list': [
    sync('pull', 'firstIndex !== next', 'false'),
    core('staging', 'firstIndex !== this.next', 'false'),
  ],
  'message length': sync('pull', 'bytes.length > MAX_BUNDLE_BYTES', 'false'),
  'count of the bundle': sync('pull', 'checkBundle(bytes, to - next) !== count', 'false'),
  'stream ends at the end': sync('pull', 'next < to', 'false', 'yield bundle;\n      }\n      if ('),
  'bytes of a stream': rpc('stream', 'received > limits.maxBytes', 'false'),
  'bytes of a message': rpc('channel', 'MAX_MESSAGE_BYTES', '-1', "'grpc.max_receive_message_length': "),
  'silence of a stream': rpc('stream', 'idleMs', '3_600_000', 'reading.call.cancel();\n  }, '),
  deadline: rpc('method', 'Date.now() + deadlineMs', 'Date.now() + 3_600_000'),
  'erased needs a withdrawal': core('staging', 'this.replay.set.erasedLive > 0', 'false'),
  'ends in a seal': core(
    'staging',
    'last === undefined || last.index !== this.next - 1',
    'last === undefined',
  ),
  'set count': core('staging', '!last.countOk', 'false'),
  'set digest': core('staging', 'this.digestOk(last) === false', 'false'),
  'batch number': core('seal-chain', 'seal.batchNo === chain.count + 1', 'true'),
  'previous seal': core('seal-chain', 'seal.prevSealIndex === chain.prevIndex', 'true'),
  'seal time': core('seal-chain', 'inTimeOrder(chain, seal)', 'true', 'seal.prevSealIndex'),
  'digest algorithm': core('seal-chain', 'seal.digestAlg === DIGEST_ALG_SHA256', 'true'),
  'leaf version': core('leaf-judge', 'b[at] !== LEAF_VERSION', 'false'),
  'leaf kind': core('leaf-judge', '!knownKind(kind)', 'false'),
  'leaf flags': core('leaf-judge', '(b[at + 2]! & ~assigned) !== 0', 'false'),
  'hash type of the list': core('replay', 'b[at + 11] !== this.hashType', 'false'),
  'hash length': core('leaf-judge', 'b[at + 47] !== bytes', 'false'),
  'live target': core('replay', 'target < index', 'true'),
  'hold within 72 h': core('leaf-judge', 'until <= time + MAX_HOLD_MS', 'true'),
  'hold behind its range': core('replay', 'hold.to > index', 'false'),
  // Claims of peers.
  'a claim stops nobody': sync('sync-list', 'FINAL.has(code) && detail.claimed !== true', 'FINAL.has(code)'),
  // Snapshots.
  'snapshot size': sync('snapshot-pull', 'Number(served.size) !== anchor.size', 'false'),
  'snapshot tree': sync('snapshot-pull', '!equalBytes(tree.root(), anchor.root)', 'false'),
  'snapshot seal proven': core('merkle', '!sameHash(hash, root)', 'false'),
  'snapshot seal is a seal': sync('snapshot-pull', "seal.kind !== 'seal'", 'false'),
  'snapshot digests': core(
    'snapshot',
    '!equalBytes(setDigest(sha, seal.bucketBits, digests, holds), seal.setDigest)',
    'false',
  ),
  'snapshot digest count': core(
    'snapshot',
    'digests.length !== DIGEST_BYTES * 2 ** seal.bucketBits',
    'false',
  ),
  'snapshot bucket': core('snapshot', '!equalBytes(bucketDigest(sha, b, records), expected)', 'false'),
  'snapshot order': sync('snapshot-pull', 'firstBucket !== this.next', 'false'),
  'snapshot ends at the end': sync(
    'snapshot-pull',
    '!assembler.done',
    'false',
    'await pullOnce(pull, assembler);',
  ),
  'snapshot is continued': core('merkle', '!sameHash(old, fromRoot) || !sameHash(grown, toRoot)', 'false'),
  'consistency proof shape': core('merkle', 'proof.length !== want', 'false'),
  // Directory.
  'pinned directory': core(
    'directory-chain',
    '!equalBytes(suite.sha256.digest(signed.body), pinned)',
    'false',
  ),
  'directory never goes back': core('directory-chain', 'next.version < current.version', 'false'),
  'two directories of one version': core('directory-chain', 'next.version === current.version', 'false'),
  'next directory version only': core('directory-chain', 'next.version !== current.version + 1', 'false'),
  'old directory threshold': core(
    'directory-chain',
    'checkSigners(suite, signed, current, current.threshold)',
    'undefined',
    'checkSuccessor(current, next);',
  ),
  'new directory threshold': core(
    'directory-chain',
    'checkSigners(suite, signed, next, next.threshold)',
    'undefined',
  ),
  'every first signer': core('directory-chain', 'directory.signers.length', '1'),
  'directory threshold never falls': core('directory-chain', 'next.threshold < current.threshold', 'false'),
  'development is over': core('directory-chain', 'next.development && !current.development', 'false'),
  'same federation': core('directory-chain', 'next.federation !== current.federation', 'false'),
} as const satisfies Record<string, Mutation | readonly Mutation[]>;

export type MutationName = keyof typeof MUTATIONS;

/** Every place of every mutation. */
export function everyMutation(): [string, Mutation][] {
  return Object.entries<Mutation | readonly Mutation[]>(MUTATIONS).flatMap(([name, places]) =>
    (Array.isArray(places) ? places : [places]).map((one): [string, Mutation] => [name, one]),
  );
}
