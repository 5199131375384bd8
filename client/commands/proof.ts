import type { Command } from 'commander';
import type { GetProofResponse } from '../../proto/gen/hashfed/v1/list.js';
import {
  fromHex,
  HashfedError,
  malformed,
  planConsistency,
  toHex,
  verifyConsistency,
  verifyInclusion,
} from '../../sdk/core/index.js';
import { callUnary } from '../../sdk/rpc/index.js';
import { ListServiceService } from '../../sdk/rpc/services/list.js';
import { splitHashes } from '../../sdk/sync/index.js';
import { action, type CliContext, EXIT } from '../cli/index.js';
import { readIndex, type VerifiedList, withList } from './list-source.js';

const CALL_MS = 10_000;

interface InclusionOptions {
  readonly origin: string;
  readonly index: string;
}

interface ConsistencyOptions {
  readonly origin: string;
  readonly from: string;
  readonly to?: string;
  readonly fromRoot?: string;
}

export function register(program: Command): void {
  const proof = program
    .command('proof')
    .description('Merkle proofs of a list (RFC 9162), as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed proof inclusion --origin police.example/known/sha256/g1 --index 7',
    );
  proof
    .command('inclusion')
    .description('that an entry is in the list under its newest checkpoint')
    .requiredOption('--origin <origin>', 'the list')
    .requiredOption('--index <i>', 'index of the entry, from 0')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed proof inclusion --origin police.example/known/sha256/g1 --index 7',
    )
    .action(action<InclusionOptions>(printInclusion));
  proof
    .command('consistency')
    .description('that an older size of the list is a prefix of a newer one')
    .requiredOption('--origin <origin>', 'the list')
    .requiredOption('--from <m>', 'the older size')
    .option('--to <n>', 'the newer size, a committed one (default: the newest)')
    .option('--from-root <hex>', 'root at the older size, to verify the proof here as well')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed proof consistency --origin police.example/known/sha256/g1 --from 100',
    )
    .action(action<ConsistencyOptions>(printConsistency));
}

async function printInclusion(context: CliContext, { origin, index }: InclusionOptions) {
  const wanted = readIndex(index, 'index');
  return withList(context, origin, async (list) => {
    const { size, root } = list.offer.checkpoint;
    if (wanted >= size)
      throw new HashfedError('SIZE_AHEAD', `the list has ${size} entries: 0 to ${size - 1}`, { origin });
    const { inclusion } = await ask(context, list, { size, indexes: [BigInt(wanted)], fromSize: 0 });
    const [one] = inclusion;
    if (one === undefined || Number(one.index) !== wanted) malformed('inclusion', 'is of another entry');
    const proof = splitHashes(one.path);
    const claim = { leafHash: one.leafHash, index: wanted, size, proof, root };
    verifyInclusion(list.deps.suite.sha256, claim);
    printJson(context, {
      origin,
      leaf_index: wanted,
      tree_size: size,
      hashes: proof.map(toHex),
      leaf_hash: toHex(one.leafHash),
      root: toHex(root),
    });
    return EXIT.done;
  });
}

async function printConsistency(context: CliContext, options: ConsistencyOptions) {
  const { origin } = options;
  const from = readIndex(options.from, 'from');
  return withList(context, origin, async (list) => {
    const { checkpoint } = list.offer;
    const to = options.to === undefined ? checkpoint.size : readIndex(options.to, 'to');
    if (from < 1 || from > to || to > checkpoint.size)
      throw new HashfedError('USAGE', `sizes must be 1 ≤ from ≤ to ≤ ${checkpoint.size}`, { field: 'from' });
    const { consistency } = await ask(context, list, { size: to, indexes: [], fromSize: from });
    const proof = splitHashes(consistency);
    if (proof.length !== planConsistency(from, to).length) malformed('consistency', 'has another length');
    if (options.fromRoot !== undefined) {
      if (to !== checkpoint.size)
        throw new HashfedError('USAGE', '--from-root is verified against the newest size only', {
          field: 'from-root',
        });
      const claim = { from, fromRoot: fromHex(options.fromRoot), to, toRoot: checkpoint.root, proof };
      verifyConsistency(list.deps.suite.sha256, claim);
    }
    printJson(context, {
      origin,
      from_size: from,
      tree_size: to,
      hashes: proof.map(toHex),
      ...(to === checkpoint.size && { root: toHex(checkpoint.root) }),
      verified: options.fromRoot !== undefined,
    });
    return EXIT.done;
  });
}

interface Wanted {
  readonly size: number;
  readonly indexes: bigint[];
  readonly fromSize: number;
}

function ask(
  { signal }: CliContext,
  { source, offer }: VerifiedList,
  { size, indexes, fromSize }: Wanted,
): Promise<GetProofResponse> {
  const { origin } = offer.checkpoint;
  const request = { origin, size: BigInt(size), indexes, fromSize: BigInt(fromSize) };
  const limits = { deadlineMs: CALL_MS, signal };
  return callUnary(source.channel, ListServiceService.getProof, request, limits);
}

/** A proof is JSON for people too: programs are its readers. */
function printJson({ out }: CliContext, proof: object): void {
  out.result(proof, JSON.stringify(proof, null, 2).split('\n'));
}
