import type { Command } from 'commander';
import { registerPrepare } from './batch-prepare.js';
import { registerReview, registerSign } from './batch-sign.js';
import { registerStatus, registerSubmit } from './batch-submit.js';

/** The split way of publishing: prepare online, sign on machines that never are, submit. */
export function register(program: Command): void {
  const batch = program
    .command('batch')
    .description('publish in steps, with signing keys on machines that are never online')
    .addHelpText(
      'after',
      `
Example:
  hashfed batch prepare cases.hfbatch --out /media/stick      # online
  hashfed batch review  /media/stick/list-0a1b2c3d.hfrequest  # analyst A, offline
  hashfed batch sign    /media/stick/list-0a1b2c3d.hfrequest --key list.key --records records
  hashfed batch countersign /media/stick/approve-4e5f6a7b.hfrequest --key approve.key --records records
  hashfed batch submit  /media/stick/*.hfsigned               # online`,
    );
  registerPrepare(batch);
  registerReview(batch);
  registerSign(batch, 'sign');
  registerSign(batch, 'countersign');
  registerSubmit(batch);
  registerStatus(batch);
}
