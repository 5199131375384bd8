import { HashfedError } from '../core/index.js';
import { damaged } from './body.js';
import { MAX_REF_BYTES } from './limits.js';
import type { JournalAction, JournalChange, JournalEntry, JournalState, NewJournalEntry } from './types.js';

const ACTIONS: ReadonlySet<string> = new Set<JournalAction>(['hold', 'block']);
export const JOURNAL_STATES: readonly JournalState[] = [
  'held',
  'blocked',
  'released',
  'handed-over',
  'deleted',
];

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const unhex = (text: unknown) => new Uint8Array(Buffer.from(String(text), 'hex'));

/** `MALFORMED` for what the journal must not take. */
export function checkNewEntry(entry: NewJournalEntry): void {
  const bad = (field: string): never => {
    throw new HashfedError('MALFORMED', `${field}: not acceptable in the journal`, { field });
  };
  const refBytes = Buffer.byteLength(entry.ref, 'utf8');
  if (refBytes === 0 || refBytes > MAX_REF_BYTES) bad('ref');
  if (entry.itemId.length !== 16) bad('itemId');
  if (entry.root.length !== 32) bad('root');
  if (!ACTIONS.has(entry.action)) bad('action');
  if (entry.origin.length === 0 || entry.origin.length > 128) bad('origin');
  for (const field of ['addIndex', 'size', 'timeMs'] as const) {
    if (!Number.isSafeInteger(entry[field]) || entry[field] < 0) bad(field);
  }
}

export function encodeEntry(entry: JournalEntry | (NewJournalEntry & { id: string })): Uint8Array {
  const value = { ...entry, itemId: hex(entry.itemId), root: hex(entry.root) };
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/** The value was authenticated: only its shape is checked. */
export function decodeEntry(bytes: Uint8Array): JournalEntry {
  if (bytes.length === 0) throw damaged('journal', 'an entry is empty');
  const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as JournalEntry;
  if (typeof value.id !== 'string' || !JOURNAL_STATES.includes(value.state)) {
    throw damaged('journal', 'an entry has no known state');
  }
  return { ...value, itemId: unhex(value.itemId), root: unhex(value.root) };
}

export function decodeInboxEntry(value: Record<string, unknown>): NewJournalEntry & { id: string } {
  const entry = value as unknown as NewJournalEntry & { id: string };
  return { ...entry, itemId: unhex(value['itemId']), root: unhex(value['root']) };
}

export function encodeChange(change: JournalChange): Uint8Array {
  return Buffer.from(JSON.stringify(change), 'utf8');
}

export function decodeChange(bytes: Uint8Array): JournalChange {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as JournalChange;
}
