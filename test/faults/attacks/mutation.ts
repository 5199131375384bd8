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
    file: `${folder}/${file}.ts`,
    find,
    replace,
    ...(after !== undefined && { after }),
  });
export const core = at('sdk/core');
export const sync = at('sdk/sync');
export const rpc = at('sdk/rpc');
export const federation = at('server/federation');
