import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { LOG_LEVELS } from '../logging/index.js';

const path = z.string().min(1).max(4096);
const hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
const count = (least: number, most: number) => z.number().int().min(least).max(most);

/** `host:port`, IPv6 in brackets, port 0 for any free one. */
const listen = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:/[\]]+):\d{1,5}$/, 'must be host:port, an IPv6 address in brackets')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) < 65_536, 'has no valid port');

const storage = z
  .string()
  .regex(/^(level:.+|postgres(ql)?:\/\/.+)$/, 'must be level:DIR or postgres://…')
  .max(4096);

const tls = z.strictObject({
  /** PEM chain, the server's own certificate first. */
  certificate: path,
  /** PEM, PKCS#8, readable by the server's user only. */
  key: path,
  /** PEM of the authorities whose member certificates are accepted. */
  client_ca: path,
  /** Seconds between looks at the three files; a changed pair is checked before it is used. */
  reload_s: count(1, 86_400).default(30),
});

/** Milliseconds in `_ms`, bytes in `_bytes`; the defaults suit one server with some hundred members. */
const limits = z.strictObject({
  /** Calls in flight of all members, and of one. More are answered OVERLOADED. */
  calls: count(1, 100_000).default(1_000),
  calls_per_member: count(1, 10_000).default(100),
  connections: count(1, 100_000).default(1_000),
  streams_per_connection: count(1, 1_000).default(100),
  session_memory_mb: count(8, 1_024).default(64),
  /** Longest that a unary call, and a call that streams data, may take. */
  unary_ms: count(100, 600_000).default(60_000),
  stream_ms: count(1_000, 86_400_000).default(3_600_000),
  connection_age_ms: count(1_000, 86_400_000).default(7_200_000),
  connection_idle_ms: count(1_000, 86_400_000).default(600_000),
  /** A peer that does not answer a ping is gone after keepalive + timeout. */
  keepalive_ms: count(1_000, 3_600_000).default(60_000),
  keepalive_timeout_ms: count(1_000, 600_000).default(20_000),
  /** How long calls in flight may go on once the server was told to stop. */
  drain_ms: count(0, 600_000).default(20_000),
});

/** Units a member may spend at once and what comes back per second. */
const budget = z.strictObject({ burst: z.number().positive(), per_second: z.number().positive() });

/** `server.json`. Relative paths are relative to the file itself. */
export const ServerConfigSchema = z
  .strictObject({
    format: z.literal(1),
    /** Trust domain of the SPIFFE ids in certificates. */
    federation: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?$/, 'must be lower-case letters, digits, dots'),
    listen,
    tls: tls.optional(),
    /** Development only: no TLS, on a loopback address, callers name themselves. */
    plaintext_loopback: z.literal(true).optional(),
    /** The member directory (DSSE envelope) and the SHA-256 of the body of its version 1. */
    directory: z.strictObject({ file: path, first_sha256: hex32 }),
    /** Folder of signed documents and lists that an empty store starts from (`init` makes one). */
    bootstrap: path.optional(),
    storage,
    /** Folder of the operator's own keys (freshness, receipts, self-test list), mode 0700. */
    operator_keys: path.optional(),
    log: z.strictObject({ level: z.enum(LOG_LEVELS).default('info'), file: path.optional() }).prefault({}),
    limits: limits.prefault({}),
    budgets: z
      .strictObject({
        lookup: budget.optional(),
        evaluation: budget.optional(),
        telemetry: budget.optional(),
        upload: budget.optional(),
      })
      .prefault({}),
  })
  .superRefine((config, context) => {
    const plain = config.plaintext_loopback === true;
    if (plain === (config.tls !== undefined))
      context.addIssue({
        code: 'custom',
        path: ['tls'],
        message: 'is required, unless plaintext_loopback is set',
      });
    if (plain && !isLoopback(splitAddress(config.listen).host))
      context.addIssue({
        code: 'custom',
        path: ['plaintext_loopback'],
        message: 'needs listen on 127.0.0.1 or [::1]',
      });
  });

export type ServerConfig = z.infer<typeof ServerConfigSchema>;
export type ServerLimits = ServerConfig['limits'];

/** Host (without brackets) and port of a checked `listen`. */
export function splitAddress(text: string): { host: string; port: number } {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}

/** True for a literal loopback address. A name is never taken for one: whoever answers DNS could move it. */
export function isLoopback(host: string): boolean {
  return (isIPv4(host) && host.startsWith('127.')) || (isIPv6(host) && host === '::1');
}

/** The limits as they are where the configuration names none. */
export const DEFAULT_LIMITS: ServerLimits = limits.parse({});
