import { accountFindings } from './account.ts';
import { surroundingsFindings } from './surroundings.ts';
import type { CciFinding, CciView } from './view.ts';

/** What is wrong or surprising about a pool in CCI, each finding with the pool in front. */
export function diagnoseCci(view: CciView): CciFinding[] {
  const { pool } = view;
  return [...accountFindings(view), ...surroundingsFindings(view)].map((finding) => ({
    ...finding,
    object: finding.object === undefined ? `Pool ${pool}` : `${finding.object} (pool ${pool})`,
  }));
}
