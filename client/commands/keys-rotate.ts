import { resolve } from 'node:path';
import type { Command } from 'commander';
import { PublishServiceService } from '../../proto/gen/hashfed/v1/publish_service.js';
import { fromHex, HashfedError, seedSigner, toHex } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { callUnary } from '../../sdk/rpc/index.js';
import { action, type CliContext, EXIT } from '../cli/index.js';
import {
  type KeyRole,
  lastGoodStates,
  loadProposal,
  mergeProposals,
  type NamedKey,
  namedKeys,
  newProposal,
  nextRootBody,
  proposalCode,
  proposalEnvelope,
  proposalSheet,
  ROOT_RULES,
  type RootProposal,
  type RootRule,
  readKey,
  readKeyFile,
  requireApproved,
  saveProposal,
  signedBy,
  signProposal,
  type Workstation,
} from '../publisher/index.js';
import { confirmCode } from './confirm-code.js';
import { askPassphrase, openStation } from './publisher-shared.js';
import { signingSuite } from './signing-suite.js';

const CALL_MS = 30_000;

export interface ChangeOptions {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly rootThreshold?: string;
  readonly approveThreshold?: string;
  readonly validDays: string;
  readonly close?: readonly string[];
  readonly set?: readonly string[];
  readonly unapproved?: boolean;
  readonly adopt?: boolean;
  readonly out: string;
  readonly rootKey?: readonly string[];
}

interface SignOptions {
  readonly rootKey: readonly string[];
  readonly out?: string;
  readonly yes?: boolean;
  readonly pkcs11?: string;
}

/** Options that every command takes which proposes a root version. */
export function withChangeOptions(command: Command): Command {
  return command
    .option('--add <key...>', 'key files that join, or ROLE:HEX[:NAME] for a key held elsewhere')
    .option('--root-threshold <n>', 'how many root keys must sign from now on')
    .option('--approve-threshold <n>', 'how many approve keys must sign from now on')
    .option(
      '--set <rule=value...>',
      `rules of all lists: ${Object.keys(ROOT_RULES).join(', ')}; 0 is the default`,
    )
    .option('--valid-days <n>', 'days until the version expires', '365')
    .option(
      '--unapproved',
      'also where one key alone signed the newest note: the key that could change that is lost',
    )
    .option(
      '--adopt',
      'take over entries that stand above ours under our key: withdraw what is wrong afterwards',
    )
    .option('--close <origin...>', 'end the generation of a list; the next one begins empty and succeeds it')
    .option('--root-key <file...>', 'sign at once with root keys at hand')
    .requiredOption('--out <file>', 'the proposal, to be signed by the holders of root keys');
}

export function registerRotate(keys: Command): void {
  withChangeOptions(
    keys
      .command('rotate')
      .description('propose the next root version: keys that join and leave, thresholds, generations'),
  )
    .option('--remove <hex...>', 'public keys that leave (or their first 8 digits and more)')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed keys rotate --add new-list.key --remove 4f1c02aa --out root-2.proposal',
    )
    .action(
      action<ChangeOptions>(async (context, options) => {
        await propose(context, options, options.remove ?? [], false);
        return EXIT.done;
      }),
    );
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
        const signed = await signWith(context, proposal, options.rootKey, options.pkcs11);
        const out = resolve(options.out ?? file);
        await saveProposal(out, signed);
        context.out.result(outcome(signed, out), `Signed: ${out}`);
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

/** Writes the proposal of a next version. Throws USAGE, THRESHOLD_NOT_MET, and where our state is not what is shown. */
export async function propose(
  context: CliContext,
  options: ChangeOptions,
  remove: readonly string[],
  revoked: boolean,
): Promise<void> {
  const suite = platformSuite();
  const station = await openStation(context, { expiredRoot: true });
  try {
    const add = await Promise.all((options.add ?? []).map(addedKey));
    const gone = remove.map((wanted) => findKey(station, wanted));
    const close = options.close ?? [];
    const body = nextRootBody(suite.sha256, station.root, {
      nowMs: context.clock.nowMs(),
      validDays: count(options.validDays, 'valid-days')!,
      add,
      remove: gone,
      revoked,
      thresholds: thresholdsOf(options),
      lastGood: await lastGoodFor(station, gone, options),
      rules: rulesOf(options.set ?? []),
      close,
    });
    const proposal = await signWith(
      context,
      newProposal(suite, station.rootEnvelope, body),
      options.rootKey ?? [],
    );
    const out = resolve(options.out);
    await saveProposal(out, proposal);
    context.out.result(outcome(proposal, out), [...proposalSheet(proposal), `Proposal: ${out}`]);
  } finally {
    station.channel.close();
  }
}

function outcome(proposal: RootProposal, file: string): object {
  const { old, next, complete } = signedBy(proposal);
  return {
    proposal: file,
    version: proposal.next.version,
    sha256: toHex(proposal.next.sha256),
    code: proposalCode(proposal),
    signatures: { old, new: next, complete },
  };
}

/** The states that keys leave behind; lists of leaving keys need two keys on their newest note. */
async function lastGoodFor(
  station: Workstation,
  gone: readonly Uint8Array[],
  { adopt = false, close = [], unapproved = false }: ChangeOptions,
) {
  const leaving = new Set(gone.map(toHex));
  const roles = namedKeys(station.root).filter(({ publicKey }) => leaving.has(toHex(publicKey)));
  const needed = roles.some(({ role }) => role !== 'root') || close.length > 0;
  if (!needed) return new Map();
  const states = await lastGoodStates(station, { adopt, close });
  const signs = roles.some(({ role }) => role === 'list' || role === 'approve');
  if (!unapproved) requireApproved(states, signs ? states.keys() : close);
  return new Map([...states].map(([origin, { state }]) => [origin, state]));
}

function rulesOf(settings: readonly string[]): Partial<Record<RootRule, number>> {
  const rules = settings.map((setting) => {
    const [, rule = '', value = ''] = /^([a-z_]+)=([0-9]{1,10})$/.exec(setting) ?? [];
    if (!Object.hasOwn(ROOT_RULES, rule))
      throw new HashfedError(
        'USAGE',
        `--set ${setting}: expected one of ${Object.keys(ROOT_RULES).join(', ')}`,
        {
          field: 'set',
        },
      );
    return [rule, Number(value)] as const;
  });
  return Object.fromEntries(rules);
}

function thresholdsOf({ rootThreshold, approveThreshold }: ChangeOptions) {
  const root = count(rootThreshold, 'root-threshold');
  const approve = count(approveThreshold, 'approve-threshold');
  return { ...(root !== undefined && { root }), ...(approve !== undefined && { approve }) };
}

function count(text: string | undefined, field: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 3660) return value;
  throw new HashfedError('USAGE', `--${field} is a whole number, 1 to 3660`, { field });
}

const ADDED = /^(root|list|approve|live|freshness):([0-9a-f]{64})(?::(.+))?$/;

async function addedKey(text: string): Promise<NamedKey> {
  const [, role, hex, name = ''] = ADDED.exec(text) ?? [];
  if (role !== undefined) return { role: role as KeyRole, publicKey: fromHex(hex!), name };
  const { role: stored, name: named, public_key } = await readKeyFile(resolve(text));
  return { role: stored, name: named, publicKey: fromHex(public_key) };
}

/** A key of the root, or one that left it, by its digits. Throws USAGE where none or several fit. */
function findKey({ root }: Workstation, text: string): Uint8Array {
  if (!/^[0-9a-f]{8,64}$/.test(text))
    throw new HashfedError('USAGE', `${text}: name a key by 8 to 64 hexadecimal digits`, { field: 'remove' });
  const known = [
    ...namedKeys(root).map(({ publicKey }) => publicKey),
    ...root.former.map(({ key }) => key.key),
  ];
  const found = [...new Set(known.map(toHex))].filter((one) => one.startsWith(text));
  if (found.length !== 1)
    throw new HashfedError(
      'USAGE',
      `${found.length === 0 ? 'no key' : 'several keys'} of the root begin with ${text}`,
      {
        field: 'remove',
      },
    );
  return fromHex(found[0]!);
}

async function signWith(
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
