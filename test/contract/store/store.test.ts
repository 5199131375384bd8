import { ledgerSuite } from './ledger.js';
import { listSuite } from './lists.js';
import { diskPlace, memoryPlace } from './support.js';

listSuite('a disk in memory', memoryPlace);
listSuite('the real disk', diskPlace);
ledgerSuite('a database in memory', memoryPlace);
ledgerSuite('LevelDB', diskPlace);
