import { parseQuantity } from '../quantities.ts';
import { checked, type FieldTable, passed } from './fields.ts';

/** What becomes of requests and limits where the node shows cpu, memory and ephemeral-storage, and nothing else. */
export const offeredAmounts: FieldTable = {
  cpu: passed,
  memory: passed,
  'ephemeral-storage': passed,
  '*': checked('resource-unsupported', isMoreThanNothing),
};

export function isMoreThanNothing(amount: unknown): boolean {
  const quantity = parseQuantity(String(amount));
  return !quantity.ok || quantity.nano > 0n;
}
