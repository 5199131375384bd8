import { resolve } from 'node:path';
import type { Command } from 'commander';
import { seedSigner, toHex } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { callUnary } from '../../sdk/rpc/index.js';
import { PublishServiceService } from '../../sdk/rpc/services/publish.js';
import { action, type CliContext, EXIT } from '../cli/index.js';
import {
  loadProposal,
  mergeProposals,
  proposalCode,
  proposalEnvelope,
  proposalSheet,
  type RootProposal,
  readKey,
  readKeyFile,
  saveProposal,
  signedBy,
  signProposal,
} from '../publisher/index.js';
import { confirmCode } from './confirm-code.js';
import { askPassphrase, openStation } from './publisher-shared.js';
import { signingSuite } from './signing-suite.js';

const CALL_MS = 30_000;

interface SignOptions {
  readonly rootKey: readonly string[];
  readonly out?: string;
  readonly yes?: boolean;
  readonly pkcs11?: string;
}

export function registerSignRoot(keys: Command): void {
  keys
    .command('sign-root')
    .argument('<proposal>', 'a root proposal')
    .description('show a root proposal and sign it with a root key; works offline')
    .requiredOption('--root-key <file...>', 'root keys, of the old version or the new one')
    .option('--pkcs11 <module>', 'for a root key in a token (or HASHFED_PKCS11_MODULE)')
    .option('--out <file>', 'where the signed copy goes (default: over the proposal)')
    .option('--yes', 'do not ask: the sheet was read before')
    .addHelpText('after', '\nExample:\n  hashfed keys sign-root root-2.proposal --root-key root-a.key')
    .action(
      action<SignOptions>(async (context, options, [file = '']) => {
        const proposal = await loadProposal(platformSuite(), resolve(file));
        for (const line of proposalSheet(proposal)) context.out.say(line);
        await confirmCode(context, proposalCode(proposal), options.yes === true);
        const signed = await signWithFiles(context, proposal, options.rootKey, options.pkcs11);
        const out = resolve(options.out ?? file);
        await saveProposal(out, signed);
        context.out.result(proposalJson(signed, out), `Signed: ${out}`);
        return EXIT.done;
      }),
    );
}

export function registerSubmitRoot(keys: Command): void {
  keys
    .command('submit-root')
    .argument('<proposal...>', 'signed copies of one root proposal')
    .description('hand in a root version once enough root keys signed it')
    .addHelpText('after', '\nExample:\n  hashfed keys submit-root root-2.a.proposal root-2.b.proposal')
    .action(
      action(async (context, _options, files) => {
        const suite = platformSuite();
        const proposal = mergeProposals(
          await Promise.all(files.map((file) => loadProposal(suite, resolve(file)))),
        );
        const envelope = proposalEnvelope(suite, proposal);
        const station = await openStation(context, { expiredRoot: true });
        try {
          const limits = { deadlineMs: CALL_MS, signal: context.signal };
          const { version } = await callUnary(
            station.channel,
            PublishServiceService.putPublisherRoot,
            { envelope },
            limits,
          );
          context.out.result(
            { version: Number(version), sha256: toHex(proposal.next.sha256) },
            `The server holds root version ${version}. Members take it at their next sync.`,
          );
          return EXIT.done;
        } finally {
          station.channel.close();
        }
      }),
    );
}

/** A proposal as `--json` prints it. */
export function proposalJson(proposal: RootProposal, file: string): object {
  const { old, next, complete } = signedBy(proposal);
  return {
    proposal: file,
    version: proposal.next.version,
    sha256: toHex(proposal.next.sha256),
    code: proposalCode(proposal),
    signatures: { old, new: next, complete },
  };
}

/** Signs with root keys in files; a sealed one needs its passphrase. */
export async function signWithFiles(
  context: CliContext,
  proposal: RootProposal,
  files: readonly string[],
  pkcs11?: string,
): Promise<RootProposal> {
  const { ed25519 } = signingSuite(context, pkcs11);
  let signed = proposal;
  for (const file of files) {
    const { sealed } = await readKeyFile(resolve(file));
    const passphrase = sealed === undefined ? undefined : await askPassphrase(context, file);
    const { seed } = await readKey(resolve(file), 'root', ed25519, passphrase);
    signed = signProposal(signed, seedSigner(ed25519, seed));
  }
  return signed;
}
