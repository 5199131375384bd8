export { action, type Handler, report, stopWithReader } from './action.js';
export { type CliContext, type GlobalOptions, makeContext, systemClock, systemRandom } from './context.js';
export { EXIT, type ExitCode, exitForError, strongestExit } from './exit.js';
export { bytesText, count, Output, type Progress, printable, stringify, table, timeText } from './output.js';
