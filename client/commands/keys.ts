import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import {
  ALG_COSIGNATURE,
  formatVkey,
  fromHex,
  HashfedError,
  parseDsse,
  toHex,
} from '../../sdk/core/index.js';
import { platformSuite } from '../../sdk/hash/platform/index.js';
import { callUnary } from '../../sdk/rpc/index.js';
import { PublishServiceService } from '../../sdk/rpc/services/publish.js';
import { action, type CliContext, EXIT, type ExitCode, table } from '../cli/index.js';
import {
  connect,
  firstRootBody,
  KEY_ROLES,
  type KeyRole,
  loadRootPlan,
  makeKey,
  readKey,
  readKeyFile,
  type SecretKey,
  signRootBody,
  writeKey,
  writeTokenKey,
} from '../publisher/index.js';
import { registerDoctor } from './keys-doctor.js';
import { registerRestate } from './keys-restate.js';
import { registerRevoke } from './keys-revoke.js';
import { registerRotate } from './keys-rotate.js';
import { registerSignRoot, registerSubmitRoot } from './keys-sign-root.js';
import { askPassphrase, passphraseOf } from './publisher-shared.js';
import { openToken, signingSuite } from './signing-suite.js';

/** A root is small; larger is no root. */
const MAX_ENVELOPE_BYTES = 1024 * 1024;
const CALL_MS = 30_000;

interface GenerateOptions {
  readonly role: KeyRole;
  readonly name: string;
  readonly out: string;
  readonly encrypt?: boolean;
  readonly pkcs11?: string;
}

interface PublishOptions {
  readonly plan?: string;
  readonly rootKey?: readonly string[];
  readonly envelope?: string;
  readonly out?: string;
  readonly offline?: boolean;
}

export function register(program: Command): void {
  const keys = program
    .command('keys')
    .description("a publisher's keys and its root")
    .addHelpText('after', '\nExample:\n  hashfed keys show keys/*.key');
  registerGenerate(keys);
  registerShow(keys);
  registerPublish(keys);
  registerRotate(keys);
  registerRevoke(keys);
  registerSignRoot(keys);
  registerSubmitRoot(keys);
  registerRestate(keys);
  registerDoctor(keys);
}

function registerGenerate(keys: Command): void {
  keys
    .command('generate')
    .description('make one key in a file of its own; each key belongs to one person')
    .addOption(new Option('--role <role>', 'what it may do').choices([...KEY_ROLES]).makeOptionMandatory())
    .option('--name <name>', 'what an approve key cosigns under, for instance police.example/approve-1', '')
    .requiredOption('--out <file>', 'the key file; never written over')
    .option('--pkcs11 <module>', 'make it in a token, which it never leaves (HASHFED_PKCS11_PIN)')
    .option('--encrypt', 'encrypt it; HASHFED_KEY_PASSPHRASE, or ask on the terminal')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed keys generate --role approve --name police.example/approve-1 --out approve.key --encrypt',
    )
    .action(
      action<GenerateOptions>(async (context, { role, name, out, encrypt, pkcs11 }) => {
        if ((role === 'approve') !== (name !== ''))
          throw new HashfedError('USAGE', 'an approve key has a --name, and no other key has one', {
            field: 'name',
          });
        const file = resolve(out);
        if (pkcs11 !== undefined) return generateInToken(context, pkcs11, { role, name, file });
        const passphrase = encrypt === true ? await requirePassphrase(context, file) : passphraseOf(context);
        const key = makeKey(role, name, context.random, platformSuite().ed25519);
        await writeKey(file, key, context.random, passphrase);
        const sealed = passphrase !== undefined;
        context.out.result({ file, role, name, public_key: toHex(key.publicKey), encrypted: sealed }, [
          `${role} key ${toHex(key.publicKey)} in ${file}${sealed ? '' : ' (not encrypted)'}`,
        ]);
        return EXIT.done;
      }),
    );
}

async function generateInToken(
  context: CliContext,
  module: string,
  { role, name, file }: { readonly role: KeyRole; readonly name: string; readonly file: string },
): Promise<ExitCode> {
  const token = openToken(context.env, module);
  const label = context.env['HASHFED_PKCS11_TOKEN'] ?? '';
  const publicKey = token.generate(`hashfed ${role} ${name}`.trim(), context.random);
  await writeTokenKey(file, { role, name, publicKey }, label);
  context.out.result({ file, role, name, public_key: toHex(publicKey), token: label }, [
    `${role} key ${toHex(publicKey)} in the token; ${file} says so and holds no secret`,
  ]);
  return EXIT.done;
}

async function requirePassphrase(context: CliContext, file: string): Promise<string> {
  const passphrase = await askPassphrase(context, file);
  if (passphrase === undefined || passphrase === '')
    throw new HashfedError('USAGE', 'set HASHFED_KEY_PASSPHRASE, or run on a terminal', {
      field: 'passphrase',
    });
  return passphrase;
}

function registerShow(keys: Command): void {
  keys
    .command('show')
    .argument('<file...>', 'key files')
    .description('show the public part of keys; no passphrase is needed')
    .addHelpText('after', '\nExample:\n  hashfed keys show keys/*.key')
    .action(
      action(async ({ out }, _options, files) => {
        const shown = await Promise.all(files.map(showKey));
        out.result(
          { keys: shown },
          table([
            ['role', 'name', 'public key', 'encrypted'],
            ...shown.map((key) => [key.role, key.name || '-', key.public_key, key.encrypted ? 'yes' : 'no']),
          ]),
        );
        return EXIT.done;
      }),
    );
}

async function showKey(file: string) {
  const { role, name, public_key, sealed } = await readKeyFile(resolve(file));
  const publicKey = fromHex(public_key);
  const vkey =
    role === 'approve'
      ? formatVkey(platformSuite().sha256, { name, algorithm: ALG_COSIGNATURE, publicKey })
      : undefined;
  return {
    file: resolve(file),
    role,
    name,
    public_key,
    encrypted: sealed !== undefined,
    ...(vkey && { vkey }),
  };
}

function registerPublish(keys: Command): void {
  keys
    .command('publish')
    .description('sign version 1 of the publisher root and hand it in')
    .option('--plan <file>', 'contact, criteria, public keys and lists (JSON)')
    .option('--root-key <file...>', 'root keys to sign with')
    .option('--out <file>', 'also write the signed root')
    .option('--offline', 'write it only, hand nothing in')
    .option('--envelope <file>', 'hand in a root that was signed before')
    .addHelpText(
      'after',
      '\nExample:\n  hashfed keys publish --plan root.json --root-key root-1.key root-2.key --out root.dsse',
    )
    .action(
      action<PublishOptions>(async (context, options) => {
        const envelope = await envelopeOf(context, options);
        if (options.out !== undefined) await writeFile(resolve(options.out), envelope, { mode: 0o644 });
        const version = options.offline === true ? null : await handIn(context, envelope);
        const suite = platformSuite();
        const fingerprint = toHex(suite.sha256.digest(parseDsse('root', envelope).body));
        context.out.result({ fingerprint, version }, [
          version === null ? 'Signed, not handed in.' : `The server holds root version ${version}.`,
          `SHA-256 of this root's body, to compare out of band: ${fingerprint}`,
        ]);
        return EXIT.done;
      }),
    );
}

async function envelopeOf(context: CliContext, options: PublishOptions): Promise<Uint8Array> {
  const { plan, rootKey, envelope } = options;
  if (envelope !== undefined) {
    const bytes = await readFile(resolve(envelope)).catch((cause: unknown) => {
      throw new HashfedError('USAGE', `cannot read ${envelope}`, { field: 'envelope', cause });
    });
    if (bytes.length > MAX_ENVELOPE_BYTES)
      throw new HashfedError('USAGE', `${envelope} is no signed root`, { field: 'envelope' });
    return new Uint8Array(bytes);
  }
  if (plan === undefined || rootKey === undefined)
    throw new HashfedError('USAGE', 'name --plan and --root-key, or --envelope', { field: 'plan' });
  const { sha256, ed25519 } = signingSuite(context);
  const body = firstRootBody(sha256, await loadRootPlan(resolve(plan)), context.clock.nowMs());
  const signers: SecretKey[] = [];
  for (const file of rootKey) {
    const { sealed } = await readKeyFile(resolve(file));
    const passphrase = sealed === undefined ? undefined : await askPassphrase(context, file);
    signers.push(await readKey(resolve(file), 'root', ed25519, passphrase));
  }
  return signRootBody(ed25519, body, signers);
}

async function handIn(context: CliContext, envelope: Uint8Array): Promise<number> {
  const { clock, random, signal } = context;
  const channel = await connect({
    config: await context.config(),
    suite: platformSuite(),
    clock,
    random,
    signal,
  });
  try {
    const limits = { deadlineMs: CALL_MS, signal };
    const { version } = await callUnary(
      channel,
      PublishServiceService.putPublisherRoot,
      { envelope },
      limits,
    );
    return Number(version);
  } finally {
    channel.close();
  }
}
