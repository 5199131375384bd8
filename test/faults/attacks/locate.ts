import type { Mutation } from './mutations.js';

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

/** The source with every mutation in it, each asleep until `globalThis.hashfedMutant` is its name. */
export function withMutants(source: string, mutations: readonly (readonly [string, Mutation])[]): string {
  const places = mutations.map(([name, mutation]) => ({ name, mutation, at: locate(source, mutation) }));
  places.sort((a, b) => b.at - a.at);
  let end = source.length;
  let out = source;
  for (const { name, mutation, at } of places) {
    const { find, replace, file } = mutation;
    if (at + find.length > end) throw new Error(`${file}: "${find}" overlaps another mutation`);
    const on = `(globalThis as any).hashfedMutant === ${JSON.stringify(name)}`;
    out = `${out.slice(0, at)}(${on} ? (${replace}) : (${find}))${out.slice(at + find.length)}`;
    end = at;
  }
  return out;
}
