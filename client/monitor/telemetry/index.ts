/** The monitor's reading of telemetry (regime operations): figures that rank nobody. */
export { acknowledge } from './acknowledge.js';

export { type ListPosition, positionsOf } from './behind.js';
export { type ChainFlag, checkChains } from './chains.js';
export { type MonitorDesk, newestSizes, openMonitor } from './desk.js';
export { EXPORT_COLUMNS, type ExportRow, exportRows } from './export.js';
export { type Figures, figuresOf, newest, type Totals } from './figures.js';
export { type ReadTelemetry, readTelemetry, type VerifiedReport, verifyRecord } from './read.js';
export { type SplitView, SplitViews, splitViews } from './split-views.js';
