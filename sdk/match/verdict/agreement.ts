import type { Judged } from './limits.js';

/** Whose assessment a record carries: the one named in its meta, or the publisher's own. Compared without case. */
function assessor({ candidate, publisher }: Judged): string {
  const named = candidate.assessedBy?.trim().toLowerCase().replace(/\.$/, '') ?? '';
  return named === '' ? publisher : named;
}

/**
 * How many publishers agree, each with an assessment of its own: two that pass on one and the same assessment
 * count once. This is the largest matching between publishers and assessments.
 */
export function agreeingPublishers(matches: readonly Judged[]): number {
  const assessments = new Map<string, Set<string>>();
  for (const judged of matches) {
    const own = assessments.get(judged.publisher) ?? new Set<string>();
    assessments.set(judged.publisher, own.add(assessor(judged)));
  }
  const takenBy = new Map<string, string>();
  let agreeing = 0;
  for (const publisher of assessments.keys()) {
    if (assign(publisher, assessments, takenBy, new Set())) agreeing++;
  }
  return agreeing;
}

/** Finds the publisher an assessment, moving others to another of theirs where that is possible. */
function assign(
  publisher: string,
  assessments: ReadonlyMap<string, ReadonlySet<string>>,
  takenBy: Map<string, string>,
  tried: Set<string>,
): boolean {
  for (const assessment of assessments.get(publisher) ?? []) {
    if (tried.has(assessment)) continue;
    tried.add(assessment);
    const holder = takenBy.get(assessment);
    if (holder !== undefined && !assign(holder, assessments, takenBy, tried)) continue;
    takenBy.set(assessment, publisher);
    return true;
  }
  return false;
}
