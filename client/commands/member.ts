import { dirname, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import {
  fromHex,
  HashfedError,
  type Member,
  type MemberDirectory,
  type MemberRole,
} from '../../sdk/core/index.js';
import { action, type CliContext, EXIT, type ExitCode, table } from '../cli/index.js';
import { registerCertify } from './member-certify.js';
import {
  type Change,
  changeDirectory,
  planOf,
  readName,
  type SignOptions,
  withDirectory,
} from './member-directory.js';
import { certify, type MadeMember, makeFolder, openCa } from './member-make.js';

const ROLES: readonly MemberRole[] = [
  'publisher',
  'hotline',
  'hoster',
  'monitor',
  'mirror',
  'witness',
  'operator',
  'authority',
  'auditor',
];

interface AddOptions extends SignOptions {
  readonly role: readonly MemberRole[];
  readonly display?: string;
  readonly reads?: readonly string[];
  readonly domain?: readonly string[];
  readonly ca?: string;
  readonly out?: string;
  readonly csr?: string;
  readonly signingKey?: string;
  readonly boxKey?: string;
}

interface RoleOptions extends SignOptions {
  readonly role: readonly MemberRole[];
  readonly reads?: readonly string[];
  readonly domain?: readonly string[];
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

function collectRole(value: string, before: readonly MemberRole[] = []): MemberRole[] {
  const role = ROLES.find((one) => one === value);
  if (role === undefined) throw new InvalidArgumentError(`Roles are ${ROLES.join(', ')}.`);
  return [...before, role];
}

export function register(program: Command): void {
  const member = program
    .command('member')
    .description('who belongs to the federation: the signed member directory')
    .addHelpText('after', '\nExample:\n  hashfed member list');
  registerAdd(member);
  registerRole(member);
  registerCertify(member);
  member
    .command('revoke')
    .argument('<name>', 'the member')
    .description('end a membership at once; the member stays listed, so that what it signed can be judged')
    .option('--directory-key <file>', 'key that signs the directory (default: directory.key)', collect)
    .addHelpText('after', '\nExample:\n  hashfed member revoke hoster-b --config operator/hashfed.json')
    .action(
      action<SignOptions>((context, options, [name = '']) =>
        change(context, options, readName(name), () => ({ revoke: [readName(name)] })),
      ),
    );
  member
    .command('list')
    .description('the members with roles and rights, from the verified directory')
    .addHelpText('after', '\nExample:\n  hashfed member list')
    .action(
      action((context) =>
        withDirectory(context, async ({ directory }) => {
          context.out.result(directoryJson(directory), directoryLines(directory));
          return EXIT.done;
        }),
      ),
    );
}

function registerAdd(member: Command): void {
  member
    .command('add')
    .argument('<name>', 'a-z, 0-9 and -, at most 64')
    .description('add a member: with its own keys and certificate request, or all made here for development')
    .requiredOption('--role <role>', 'what it may do; may be given several times', collectRole)
    .option('--display <name>', 'its legal name')
    .option(
      '--reads <lists>',
      'domain/collection/type, or such a prefix with *; may be given several times',
      collect,
    )
    .option('--domain <domain>', 'where a publisher publishes; may be given several times', collect)
    .option('--csr <file>', 'its certificate request; the certificate is written beside it')
    .option('--signing-key <hex>', 'its Ed25519 public key, with --csr')
    .option('--box-key <hex>', 'its X25519 public key, with --csr')
    .option('--ca <dir>', "the authority's folder (default: ../../ca)")
    .option('--out <dir>', 'folder to make for it, without --csr (default: beside the operator)')
    .option('--directory-key <file>', 'key that signs the directory (default: directory.key)', collect)
    .addHelpText(
      'after',
      '\nExamples:\n  hashfed member add hoster-c --role hoster --reads "*" --config operator/hashfed.json\n' +
        '  hashfed member add acme --role hoster --reads "police.example/*" --csr acme.csr --signing-key 8f3a…',
    )
    .action(action<AddOptions>((context, options, [name = '']) => add(context, options, readName(name))));
}

async function add(context: CliContext, options: AddOptions, name: string): Promise<ExitCode> {
  return withDirectory(context, async (open) => {
    if (open.directory.members.has(`members/${name}`))
      throw new HashfedError(
        'USAGE',
        `${name} is a member already; see hashfed member role, or hashfed member certify for a new certificate`,
        {
          field: 'NAME',
        },
      );
    const made = await makeMember(context, options, name);
    const plan = {
      name,
      displayName: options.display ?? name,
      roles: options.role,
      readableLists: options.reads ?? [],
      domains: options.domain ?? [],
      ...made,
    };
    const version = await changeDirectory(context, open, { put: [plan] }, options);
    context.out.result({ member: `members/${name}`, version, files: made.files }, [
      `${name} is a member from directory version ${version} on.`,
      ...made.files.map((file) => `Wrote ${file}.`),
    ]);
    return EXIT.done;
  });
}

async function makeMember(context: CliContext, options: AddOptions, name: string): Promise<MadeMember> {
  const config = await context.config();
  const authority = await openCa(config, options.ca);
  if (options.csr === undefined)
    return makeFolder(
      context,
      authority,
      name,
      resolve(options.out ?? join(dirname(config.file), '..', name)),
    );
  const files = await certify(context, authority, name, options.csr);
  const key = (hex: string | undefined) => (hex === undefined ? [] : [fromHex(hex)]);
  return { signingKeys: key(options.signingKey), boxKeys: key(options.boxKey), files };
}

function registerRole(member: Command): void {
  member
    .command('role')
    .argument('<name>', 'the member')
    .description('set what a member may do; what is not named stays as it is')
    .requiredOption('--role <role>', 'all of its roles from now on; may be given several times', collectRole)
    .option('--reads <lists>', 'all that it may read from now on; may be given several times', collect)
    .option('--domain <domain>', 'all of its domains from now on; may be given several times', collect)
    .option('--directory-key <file>', 'key that signs the directory (default: directory.key)', collect)
    .addHelpText('after', '\nExample:\n  hashfed member role hoster-b --role hoster --role mirror')
    .action(
      action<RoleOptions>((context, options, [text = '']) => {
        const name = readName(text);
        return change(context, options, name, (directory) => ({
          put: [
            {
              ...planOf(directory, name, context.clock.nowMs()),
              roles: options.role,
              ...(options.reads && { readableLists: options.reads }),
              ...(options.domain && { domains: options.domain }),
            },
          ],
        }));
      }),
    );
}

function change(
  context: CliContext,
  options: SignOptions,
  name: string,
  plan: (directory: MemberDirectory) => Change,
): Promise<ExitCode> {
  return withDirectory(context, async (open) => {
    const version = await changeDirectory(context, open, plan(open.directory), options);
    const member = `members/${name}`;
    context.out.result({ member, version }, `Directory version ${version} is in force.`);
    return EXIT.done;
  });
}

function directoryJson({ federation, version, development, expiresMs, members }: MemberDirectory): object {
  return {
    federation,
    version,
    development,
    expires_ms: expiresMs,
    members: [...members.values()].map((one) => ({
      name: one.name,
      display_name: one.displayName,
      roles: one.roles,
      status: one.status,
      readable_lists: one.readableLists,
      domains: one.domains,
    })),
  };
}

function directoryLines({ federation, version, development, members }: MemberDirectory): string[] {
  const warning = development ? ' (development: the operator alone signs it)' : '';
  return [
    `${federation}, directory version ${version}${warning}`,
    ...table([['member', 'roles', 'status', 'reads', 'domains'], ...[...members.values()].map(row)]),
  ];
}

const row = ({ name, roles, status, readableLists, domains }: Member): string[] => [
  name,
  roles.join(' '),
  status,
  readableLists.join(' '),
  domains.join(' '),
];
