import type { TelemetryReport } from '../../proto/gen/hashfed/v1/telemetry.js';
import { equalBytes, parseDsse } from '../../sdk/core/index.js';
import { parseReport } from '../../sdk/telemetry/index.js';
import type { TelemetryDeps } from './deps.js';

interface Last {
  readonly sequence: number;
  readonly digest: Uint8Array;
}

/** How a report follows the one before: `gap` numbers are missing, `broken` it names another one, `repeated` an old number. */
export type Link = 'first' | 'next' | 'gap' | 'broken' | 'repeated';

/** The newest report of each member, so that a dropped one shows when the next arrives. Read from the store when first asked. */
export class Chains {
  readonly #deps: TelemetryDeps;
  readonly #last = new Map<string, Last | undefined>();

  constructor(deps: TelemetryDeps) {
    this.#deps = deps;
  }

  /** Judges and remembers a report that was stored. Calls for one member must not overlap. */
  async note(member: string, report: TelemetryReport, digest: Uint8Array): Promise<Link> {
    const last = this.#last.has(member) ? this.#last.get(member) : await this.#load(member, digest);
    const sequence = Number(report.sequence);
    const link = linkOf(last, report);
    if (last === undefined || sequence > last.sequence) this.#last.set(member, { sequence, digest });
    return link;
  }

  /** The newest stored report but the one being noted. */
  async #load(member: string, besides: Uint8Array): Promise<Last | undefined> {
    let last: Last | undefined;
    for (let pageToken = ''; ; ) {
      const page = await this.#deps.storage.telemetry.list({ member, pageSize: 1000, pageToken });
      for (const { bytes } of page.items) {
        const { body } = parseDsse('telemetry', bytes);
        const sequence = Number(parseReport(body).report.sequence);
        const digest = this.#deps.suite.sha256.digest(body);
        if (equalBytes(digest, besides) || sequence <= (last?.sequence ?? 0)) continue;
        last = { sequence, digest };
      }
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    this.#last.set(member, last);
    return last;
  }
}

function linkOf(last: Last | undefined, report: TelemetryReport): Link {
  const sequence = Number(report.sequence);
  if (last === undefined) return sequence === 1 ? 'first' : 'gap';
  if (sequence <= last.sequence) return 'repeated';
  if (sequence > last.sequence + 1) return 'gap';
  return equalBytes(report.previousSha256, last.digest) ? 'next' : 'broken';
}
