import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { describeError, type LoggedError } from './errors.js';
import { plainCode, plainName, scrub } from './scrub.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * All that a log line can hold. There is no field for a hash, key, URL, address or file, and no free text:
 * what is not named here is dropped, and every text is scrubbed.
 */
export interface LogFields {
  readonly requestId?: string;
  readonly rpc?: string;
  readonly member?: string;
  readonly origin?: string;
  readonly code?: string;
  readonly why?: string;
  readonly state?: string;
  readonly ms?: number;
  readonly count?: number;
  readonly bytes?: number;
  readonly size?: number;
  readonly version?: number;
  readonly port?: number;
  readonly pid?: number;
  readonly error?: unknown;
}

/** The one way to log. `event` is a constant such as `rpc.failed`. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log whose lines all hold `fields`. */
  with(fields: LogFields): Log;
}

/** A log and the means to finish it. */
export interface OpenLog extends Log {
  /** Writes out what is buffered. */
  flush(): Promise<void>;
}

const TEXTS = ['why', 'state'] as const;
const NUMBERS = ['ms', 'count', 'bytes', 'size', 'version', 'port', 'pid'] as const;
const REQUEST_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MEMBER = /^(?![0-9a-f]{16})[a-z0-9-]{1,64}$/;
const RPC = /^[A-Z][A-Za-z]{1,31}Service\/[A-Z][A-Za-z]{1,31}$/;
const ORIGIN = /^[a-z0-9.-]{1,64}\/[a-z0-9-]{1,32}\/(?:md5|sha1|sha256|pdq|photodna|events)(?:\/g\d{1,10})?$/;

/** Opens a log that writes NDJSON to `file` (mode 0600), or to stderr where there is none. */
export function openLog(level: LogLevel, file?: string): OpenLog {
  const target = destination({ dest: file ?? 2, mode: 0o600, append: true, sync: file === undefined });
  // A file is opened in the background; flushing before that would answer too early.
  const opened = new Promise<void>((resolve) => {
    target.once('ready', () => resolve());
    target.once('error', () => resolve());
  });
  const flush = async (): Promise<void> => {
    await opened;
    await new Promise<void>((resolve) => {
      target.flush(() => resolve());
    });
  };
  return Object.assign(logTo(level, target), { flush });
}

/** A log on any stream; tests use it. */
export function logTo(level: LogLevel, target: DestinationStream): Log {
  const root = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'event' },
    target,
  );
  return wrap(root);
}

export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};

function wrap(logger: Logger): Log {
  const write = (level: LogLevel) => (event: string, fields?: LogFields) => {
    if (logger.isLevelEnabled(level)) logger[level](keep(fields ?? {}), plainName(event));
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => wrap(logger.child(keep(fields))),
  };
}

/** The named fields of the right type, cleaned; everything else is dropped. */
function keep(fields: LogFields): Record<string, string | number | LoggedError> {
  const kept: Record<string, string | number | LoggedError> = {};
  const { requestId, rpc, origin, member, code } = fields;
  if (typeof requestId === 'string' && REQUEST_ID.test(requestId)) kept['requestId'] = requestId;
  if (typeof rpc === 'string' && RPC.test(rpc)) kept['rpc'] = rpc;
  if (typeof origin === 'string' && ORIGIN.test(origin)) kept['origin'] = origin;
  if (typeof member === 'string' && MEMBER.test(member)) kept['member'] = member;
  if (code !== undefined) kept['code'] = plainCode(code);
  for (const name of TEXTS) {
    const value = fields[name];
    if (typeof value === 'string') kept[name] = scrub(value);
  }
  for (const name of NUMBERS) {
    const value = fields[name];
    if (typeof value === 'number' && Number.isFinite(value)) kept[name] = value;
  }
  if (fields.error !== undefined) kept['error'] = describeError(fields.error);
  return kept;
}
