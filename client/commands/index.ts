import type { Command } from 'commander';
import { register as batch } from './batch.js';
import { register as check } from './check.js';
import { register as completion } from './completion.js';
import { register as hash } from './hash.js';
import { register as hold } from './hold.js';
import { register as importFile } from './import.js';
import { register as init } from './init.js';
import { register as inventory } from './inventory.js';
import { register as keys } from './keys.js';
import { register as leave } from './leave.js';
import { register as lists } from './lists.js';
import { register as log } from './log.js';
import { register as member } from './member.js';
import { register as mirror } from './mirror.js';
import { register as monitor } from './monitor.js';
import { register as policy } from './policy.js';
import { register as policyTest } from './policy-test.js';
import { register as proof } from './proof.js';
import { register as publish } from './publish.js';
import { register as quarantine } from './quarantine.js';
import { register as quarantineEnd } from './quarantine-end.js';
import { register as rematch } from './rematch.js';
import { register as scan } from './scan.js';
import { register as serve } from './serve.js';
import { register as status } from './status.js';
import { register as suppress } from './suppress.js';
import { register as sync } from './sync.js';
import { register as telemetry } from './telemetry.js';
import { register as trust } from './trust.js';
import { register as verify } from './verify.js';
import { register as watchOwn } from './watch-own.js';
import { register as withdraw } from './withdraw.js';
import { register as withdrawal } from './withdrawal.js';
import { register as withdrawals } from './withdrawals.js';

/** Every command, in the order in which help lists them. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  init,
  serve,
  member,
  keys,
  trust,
  importFile,
  batch,
  publish,
  withdraw,
  hold,
  withdrawal,
  watchOwn,
  sync,
  lists,
  check,
  scan,
  inventory,
  rematch,
  telemetry,
  monitor,
  mirror,
  hash,
  quarantine,
  withdrawals,
  suppress,
  quarantineEnd,
  verify,
  log,
  proof,
  policy,
  policyTest,
  leave,
  status,
  completion,
];

export function registerCommands(program: Command): void {
  for (const register of COMMANDS) register(program);
}
