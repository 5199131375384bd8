import { type ErrorCode, HashfedError } from '../../../sdk/core/index.js';
import { HOTLINE, ORIGIN, type World } from '../../support/liar/index.js';
import type { Attack } from './attack.js';
import { standing } from './lies.js';
import { attacks } from './suite.js';

const claims = (code: ErrorCode): Attack => ({
  name: `one of two sources claims ${code}`,
  mutation: 'a claim stops nobody',
  options: { mirror: true },
  moves: true,
  lie: (w) => {
    w.more(3);
    w.liar.lies.checkpoint = () => {
      throw new HashfedError(code, 'says the source');
    };
  },
  holds: (w) => {
    if (w.last?.size !== w.log.size) throw new Error('the honest source was not asked');
  },
});

function hideRoot(w: World): void {
  w.police.rotate({});
  w.clock.pass(1_000);
  w.liar.lies.root = (version, _, honest) => {
    if (version > 1) throw new HashfedError('NOT_FOUND', 'no such version');
    return honest();
  };
}

attacks('servers: claims, and what they hide', [
  claims('EQUIVOCATION'),
  claims('UPGRADE_REQUIRED'),
  claims('STORAGE_FAILED'),
  claims('INTERNAL'),
  claims('CANCELLED'),
  {
    name: 'a list removed: held, and not there any more',
    mutation: 'a failure is told',
    code: 'UNKNOWN_ORIGIN',
    lie: (w) => {
      w.liar.lies.checkpoint = (_, origin) => {
        throw new HashfedError('UNKNOWN_ORIGIN', 'there is no such list', { origin });
      };
    },
  },
  {
    name: "another trusted publisher's root names the list",
    mutation: 'two publishers, one list',
    options: { both: true },
    code: 'USAGE',
    lie: (w) => {
      const own = w.hotline.root.origins;
      w.hotline.rotate({ origins: [...own, w.hotline.policy({ origin: ORIGIN })] });
    },
    act: async (w) => {
      await w.sync(HOTLINE);
      await w.sync();
    },
    holds: (w) =>
      w.hotline.rotate({ origins: w.hotline.root.origins.filter(({ origin }) => origin !== ORIGIN) }),
  },
  {
    name: 'a closed generation served on',
    only: 'client',
    mutation: 'generation is closed',
    code: 'GENERATION_CLOSED',
    ends: true,
    lie: (w) => {
      const { size, root } = w.log.at();
      const succeeds = { origin: ORIGIN, size: BigInt(size), root };
      const g2 = w.police.policy({ origin: ORIGIN.replace('g1', 'g2'), succeeds });
      const rest = w.police.root.origins.filter(({ origin }) => origin !== ORIGIN);
      w.police.rotate({ origins: [...rest, g2] });
      w.more();
    },
  },
  {
    name: 'a newer root hidden that freshness names: the list is not fresh',
    mutation: 'hidden root is stale',
    lie: hideRoot,
    holds: (w) => standing(w, 'STALE', 'WITHHELD'),
  },
  {
    name: 'a newer root hidden that freshness names',
    mutation: 'hidden root shows',
    lie: hideRoot,
    holds: (w) => {
      if (w.last?.withheld !== true) throw new Error('nothing was said to be withheld');
    },
  },
]);
