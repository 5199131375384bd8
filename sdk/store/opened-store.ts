import { type Clock, HashfedError } from '../core/index.js';
import { deriveKey } from './cipher.js';
import { LedgerCounters } from './counters.js';
import type { Database } from './database.js';
import { FileDocuments } from './documents.js';
import { HandoverCounters } from './handover.js';
import { FileInbox } from './inbox.js';
import { LedgerJournal } from './journal.js';
import type { Ledger } from './ledger.js';
import { originOf } from './list-paths.js';
import { DiskList } from './list-store.js';
import type { StoreParts } from './parts.js';
import { FileSettings } from './settings.js';
import { LedgerSpool } from './spool.js';
import type { Counters, Documents, Inbox, Journal, ListStore, Settings, Spool, Store } from './types.js';

/** Present while a writer has the store open. */
export const RUNNING = 'running';

export interface WriterParts {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

interface WriterOnly {
  readonly database: Database;
  readonly journal: LedgerJournal;
  readonly counters: LedgerCounters;
  readonly spool: Spool;
}

/** An open store: hands out its repositories and closes them in order. */
export class OpenedStore implements Store {
  readonly readOnly: boolean;
  readonly unclean: boolean;
  readonly documents: Documents;
  readonly settings: Settings;
  readonly inbox: Inbox;
  readonly #parts: StoreParts;
  readonly #lists = new Map<string, DiskList>();
  readonly #writer: WriterOnly | undefined;
  readonly #handover: HandoverCounters;
  #closed = false;

  constructor(parts: StoreParts, unclean: boolean, writer?: WriterParts) {
    this.#parts = parts;
    this.readOnly = writer === undefined;
    this.unclean = unclean;
    this.documents = new FileDocuments(parts);
    this.settings = new FileSettings(parts);
    if (writer !== undefined) {
      const { ledger, clock, database } = writer;
      const { random } = parts.sealing;
      const counters = new LedgerCounters(ledger, parts.gate);
      const journal = new LedgerJournal(ledger, clock, random);
      const spool = new LedgerSpool(ledger, counters, clock, random);
      this.#writer = { database, journal, counters, spool };
    }
    this.inbox = new FileInbox(parts, this.settings, this.#writer);
    this.#handover = new HandoverCounters(this.inbox);
  }

  /** The same object for the same origin: one place knows where a list stands. */
  list(origin: string): ListStore {
    let list = this.#lists.get(origin);
    if (list === undefined) {
      list = new DiskList(this.#parts, origin);
      this.#lists.set(origin, list);
    }
    return list;
  }

  keyFor(use: 'inventory', salt: Uint8Array): Uint8Array {
    return deriveKey(this.#parts.sealing.master, use, salt);
  }

  async origins(): Promise<string[]> {
    const { disk } = this.#parts.sealing;
    const found: string[] = [];
    for (const name of await disk.list(`${this.#parts.root}/lists`)) {
      const origin = originOf(name);
      if (origin === undefined) continue;
      if (await disk.exists(`${this.#parts.root}/lists/${name}/head`)) found.push(origin);
    }
    return found;
  }

  get journal(): Journal {
    return this.#need().journal;
  }

  get spool(): Spool {
    return this.#need().spool;
  }

  get counters(): Counters {
    return this.#writer?.counters ?? this.#handover;
  }

  /** After a failed write the mark stays: the next opening is told that it must check. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { gate } = this.#parts;
    try {
      await this.#handover.flush();
      await this.#writer?.counters.close();
      await gate.close();
      if (this.#writer !== undefined && !gate.failed) await this.#unmark();
    } finally {
      await this.#writer?.database.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #unmark(): Promise<void> {
    const { sealing, root } = this.#parts;
    await sealing.disk.remove(`${root}/${RUNNING}`);
    await sealing.disk.syncDirectory(root);
  }

  #need(): WriterOnly {
    if (this.#writer === undefined) {
      throw new HashfedError('STORAGE_FAILED', 'the store is open for reading only');
    }
    return this.#writer;
  }
}
