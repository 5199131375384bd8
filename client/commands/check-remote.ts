import { type ExactType, hashFile } from '../../sdk/hash/index.js';
import type { Hashfed, Verdict } from '../../sdk/index.js';
import { ACTIONS } from '../../sdk/match/index.js';
import { type CliContext, EXIT, type ExitCode, exitForError, strongestExit } from '../cli/index.js';
import { type Answer, print, refuseToHide, unhashed } from './check-shared.js';
import { isMatch, withHoster } from './hoster-shared.js';

interface TypedHash {
  readonly text: string;
  readonly type: ExactType;
  readonly hash: Uint8Array;
}

const TYPES = ['sha256', 'sha1', 'md5'] as const;

/** Asks a server about hashes and files; it learns the hashes, never the files. */
export function checkRemote(
  context: CliContext,
  hashes: readonly TypedHash[],
  files: readonly string[],
): Promise<ExitCode> {
  const { signal } = context;
  const work = async (hashfed: Hashfed): Promise<ExitCode> => {
    const fromHashes: Answer[] = [];
    for (const { text, type, hash } of hashes) {
      const [verdict] = await hashfed.queryRemote(type, [hash], { signal });
      fromHashes.push({ name: text, ...(verdict && { verdict }) });
    }
    const fromFiles: Answer[] = [];
    for (const name of files) fromFiles.push(await askAboutFile(context, hashfed, name));
    print(context, fromFiles, fromHashes);
    return exitOf(hashfed, [...fromFiles, ...fromHashes]);
  };
  return withHoster(context, 'auto', work, { lists: false });
}

async function askAboutFile({ signal }: CliContext, hashfed: Hashfed, name: string): Promise<Answer> {
  const outcome = await hashFile(name, { signal, followSymlinks: true });
  if (outcome.status !== 'hashed') return { name, error: refuseToHide(unhashed(name, outcome)) };
  const verdicts: Verdict[] = [];
  for (const type of TYPES)
    verdicts.push(...(await hashfed.queryRemote(type, [outcome.hashes[type]!], { signal })));
  return { name, verdict: strongest(verdicts) };
}

/** The strongest answer of the three types, with everything that matched. */
function strongest(verdicts: readonly Verdict[]): Verdict {
  const [first, ...others] = [...verdicts].sort(
    (a, b) => ACTIONS.indexOf(b.action) - ACTIONS.indexOf(a.action),
  );
  return { ...first!, matches: [first!, ...others].flatMap(({ matches }) => matches) };
}

function exitOf(hashfed: Hashfed, answers: readonly Answer[]): ExitCode {
  const lists = hashfed.lists();
  const codes = answers.map(({ verdict, error }): ExitCode => {
    if (verdict === undefined) return exitForError(error);
    if (isMatch(verdict, lists)) return EXIT.match;
    return verdict.freshness === 'EXPIRED' ? EXIT.stale : EXIT.done;
  });
  return strongestExit(codes);
}
