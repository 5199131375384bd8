import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fromHex, HashfedError, toHex } from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { action, type CliContext, EXIT } from '../cli/index.js';
import {
  type KeyRole,
  lastGoodStates,
  type NamedKey,
  namedKeys,
  newProposal,
  nextRootBody,
  proposalSheet,
  ROOT_RULES,
  type RootRule,
  readKeyFile,
  requireApproved,
  saveProposal,
  type Workstation,
} from '../publisher/index.js';
import { proposalJson, signWithFiles } from './keys-sign-root.js';
import { openStation } from './publisher-shared.js';

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
    const proposal = await signWithFiles(
      context,
      newProposal(suite, station.rootEnvelope, body),
      options.rootKey ?? [],
    );
    const out = resolve(options.out);
    await saveProposal(out, proposal);
    context.out.result(proposalJson(proposal, out), [...proposalSheet(proposal), `Proposal: ${out}`]);
  } finally {
    station.channel.close();
  }
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
