import {
  HashfedError,
  type MemberDirectory,
  type MemberRole,
  nextDirectory,
  type Suite,
  signingKeysAt,
  startDirectory,
} from '../core/index.js';
import { callUnary, type RpcChannel } from '../rpc/index.js';
import { DirectoryServiceService } from '../rpc/services/directory.js';
import type { Documents } from '../store/index.js';
import { CALL_MS, MAX_DIRECTORY_STEPS } from './limits.js';

export interface MemberBookOptions {
  readonly suite: Suite;
  readonly federation: string;
  /** SHA-256 of the body of version 1, 32 bytes. */
  readonly pinned: Uint8Array;
  /** Where versions are kept, so that no server can show an older one; absent: for this process only. */
  readonly documents?: Pick<Documents, 'get' | 'put' | 'versions'>;
}

/** The federation's members as their signed directory states them, each version verified from the pinned first. */
export class MemberBook {
  readonly #options: MemberBookOptions;
  #current: MemberDirectory | undefined;

  private constructor(options: MemberBookOptions) {
    this.#options = options;
  }

  /** Verifies what is stored. Throws what the chain's checks throw: a store that was tampered with. */
  static async open(options: MemberBookOptions): Promise<MemberBook> {
    const book = new MemberBook(options);
    const { documents, federation } = options;
    for (const version of (await documents?.versions('directory', federation)) ?? []) {
      const envelope = await documents?.get('directory', federation, version);
      if (envelope !== undefined) book.#current = book.#verify(envelope);
    }
    return book;
  }

  get current(): MemberDirectory | undefined {
    return this.#current;
  }

  /** Takes every newer version that the server has. Throws what the chain's checks throw. */
  async refresh(channel: RpcChannel, signal?: AbortSignal): Promise<void> {
    const { documents, federation } = this.#options;
    for (let step = 0; step < MAX_DIRECTORY_STEPS; step++) {
      const version = (this.#current?.version ?? 0) + 1;
      const envelope = await fetchVersion(channel, version, signal);
      if (envelope === undefined) return;
      const next = this.#verify(envelope);
      await documents?.put('directory', federation, next.version, envelope);
      this.#current = next;
    }
    throw new HashfedError('MALFORMED', `a server has more than ${MAX_DIRECTORY_STEPS} new directories`);
  }

  /** Keys in force at `timeMs`, empty for strangers and for members without the role. */
  keysOf(name: string, role: MemberRole, timeMs: number): readonly Uint8Array[] {
    const member = this.#current?.members.get(name);
    return member?.roles.includes(role) ? signingKeysAt(member, timeMs) : [];
  }

  #verify(envelope: Uint8Array): MemberDirectory {
    const { suite, pinned, federation } = this.#options;
    const held = this.#current;
    const next =
      held === undefined ? startDirectory(suite, envelope, pinned) : nextDirectory(suite, held, envelope);
    if (next.federation !== federation)
      throw new HashfedError('USAGE', 'the pinned directory is of another federation', {
        field: 'federation',
      });
    return next;
  }
}

async function fetchVersion(
  channel: RpcChannel,
  version: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const limits = { deadlineMs: CALL_MS, ...(signal && { signal }) };
  const request = { version: BigInt(version) };
  try {
    return (await callUnary(channel, DirectoryServiceService.getDirectory, request, limits)).envelope;
  } catch (error) {
    if (error instanceof HashfedError && error.code === 'NOT_FOUND' && version > 1) return undefined;
    throw error;
  }
}
