/** Logs that cannot hold a hash, key, URL, path or file name. */
export { describeError, type LoggedError } from './errors.js';
export {
  LOG_LEVELS,
  type Log,
  type LogFields,
  type LogLevel,
  logTo,
  type OpenLog,
  openLog,
  silentLog,
} from './log.js';
export { plainName, scrub } from './scrub.js';
