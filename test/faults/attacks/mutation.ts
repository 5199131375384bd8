/** A check, and what it is replaced by. */
export interface Mutation {
  readonly file: string;
  readonly after?: string;
  readonly find: string;
  readonly replace: string;
}

export const at =
  (folder: string) =>
  (file: string, find: string, replace: string, after?: string): Mutation => ({
    file: `sdk/${folder}/${file}.ts`,
    find,
    replace,
    ...(after !== undefined && { after }),
  });
export const core = at('core');
export const sync = at('sync');
export const rpc = at('rpc');
