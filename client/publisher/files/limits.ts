/** The message at the start of a file (docs/spec/formats.md, "Files of the publishing path"), bytes. */
export const MAX_FILE_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Read and written at once, bytes: large enough that system calls do not count. */
export const FILE_CHUNK_BYTES = 1024 * 1024;
/** A bundle is closed once it holds this many bytes; with the largest leaf it stays under the cap on the wire. */
export const BUNDLE_TARGET_BYTES = 192 * 1024;
/** Leaves of one bundle that the server takes. */
export const MAX_BUNDLE_LEAVES = 131_072;
