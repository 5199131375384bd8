import { z } from 'zod';

const path = z.string().min(1).max(4096);
const hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');

const source = z.strictObject({
  /** host:port of a server or mirror. */
  address: z.string().regex(/^[^\s/]+:\d{1,5}$/, 'must be host:port'),
  /** Name expected in the server's certificate, where it differs from the host. */
  server_name: z.string().optional(),
});

const publisherTrust = z.strictObject({
  /** Resource name of the publisher; its root says which origins are its own. */
  publisher: z.string().regex(/^members\/[a-z0-9-]{1,64}$/, 'must be members/{member}'),
  /** SHA-256 of the version-1 root body, hex; compared out of band. */
  root_sha256: hex32,
});

const list = z.strictObject({
  origin: z.string().min(1).max(128),
  /** A list is used only for the purpose stated here. */
  purpose: z.enum(['listed', 'known-good', 'test']),
});

/** Files of a publisher's two offices; each person's key lies with that person. */
const publisher = z.strictObject({
  domain: z.string().min(1).max(64),
  keys_dir: path,
  /** Compare-and-swap records of the signers; outside every database, never restored from a backup. */
  records_dir: path,
  outbox_dir: path,
});

/** `hashfed.json`: one member's configuration. Relative paths are relative to the file itself. */
export const ClientConfigSchema = z.strictObject({
  format: z.literal(1),
  federation: z.string().min(1).max(253),
  member: z.string().min(1).max(64),
  tls: z.strictObject({ ca: path, cert: path, key: path }),
  /** Tried in order of freshness; at least one. */
  sources: z.array(source).min(1).max(16),
  /** SHA-256 of the version-1 member directory body, hex. */
  directory_sha256: hex32.optional(),
  store: z.strictObject({ dir: path, key_file: path.optional() }).optional(),
  signing_key: path.optional(),
  box_key: path.optional(),
  trust: z.array(publisherTrust).max(256).default([]),
  lists: z.array(list).max(1024).default([]),
  /** Independent cosigners: k of the named verifier keys (C2SP vkeys). */
  cosigners: z
    .strictObject({ threshold: z.number().int().min(0).max(16), keys: z.array(z.string()).max(16) })
    .optional(),
  /** Matching policy (see `hashfed policy show`); checked by the SDK. */
  policy: z.unknown().optional(),
  telemetry: z
    .strictObject({ enabled: z.boolean().default(true), window: z.enum(['day', 'hour']).default('day') })
    .optional(),
  publisher: publisher.optional(),
});

export type ClientConfig = z.infer<typeof ClientConfigSchema>;
