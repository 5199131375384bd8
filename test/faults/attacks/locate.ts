import type { Mutation } from './mutation.js';

/** Where in the source the mutated expression stands. Throws unless it stands there exactly once. */
export function locate(source: string, { file, after, find }: Mutation): number {
  const from = after === undefined ? 0 : once(source, after, file) + after.length;
  if (after === undefined) return once(source, find, file);
  const at = source.indexOf(find, from);
  if (at < 0) throw new Error(`${file}: no longer holds "${find}" behind "${after}"`);
  return at;
}

function once(source: string, text: string, file: string): number {
  const at = source.indexOf(text);
  if (at < 0) throw new Error(`${file}: no longer holds "${text}"`);
  if (source.indexOf(text, at + 1) >= 0) throw new Error(`${file}: holds "${text}" more than once`);
  return at;
}

interface Place {
  readonly at: number;
  readonly mutation: Mutation;
  /** Mutations that take the same check out. */
  readonly names: string[];
}

/** The source with every mutation in it, each asleep until `globalThis.hashfedMutant` is its name. */
export function withMutants(source: string, mutations: readonly (readonly [string, Mutation])[]): string {
  let end = source.length;
  let out = source;
  for (const { at, mutation, names } of placesIn(source, mutations)) {
    const { find, replace, file } = mutation;
    if (at + find.length > end) throw new Error(`${file}: "${find}" overlaps another mutation`);
    const on = `${JSON.stringify(names)}.includes((globalThis as any).hashfedMutant)`;
    out = `${out.slice(0, at)}(${on} ? (${replace}) : (${find}))${out.slice(at + find.length)}`;
    end = at;
  }
  return out;
}

/** From the last to the first. */
function placesIn(source: string, mutations: readonly (readonly [string, Mutation])[]): Place[] {
  const places: Place[] = [];
  for (const [name, mutation] of mutations) {
    const at = locate(source, mutation);
    const same = places.find((one) => one.at === at && one.mutation.replace === mutation.replace);
    if (same !== undefined) same.names.push(name);
    else places.push({ at, mutation, names: [name] });
  }
  return places.sort((a, b) => b.at - a.at);
}
