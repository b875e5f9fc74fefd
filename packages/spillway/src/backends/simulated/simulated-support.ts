import { offeredAmounts } from '../../podspec/fit/amounts.ts';
import { type FieldRules, type FieldTable, passed, refused } from '../../podspec/fit/fields.ts';
import type { Support } from '../../podspec/fit/support.ts';

const withRules = (fields: FieldTable): FieldRules => ({ fields: { '*': passed, ...fields } });
const resources = withRules({ limits: { fields: offeredAmounts }, requests: { fields: offeredAmounts } });
const container = withRules({ resources });

/** It can pretend everything but devices: its node shows none. */
export const simulatedSupport: Support = {
  name: 'simulated',
  fields: {
    '*': passed,
    containers: container,
    initContainers: container,
    resources,
    resourceClaims: refused('resource-unsupported'),
  },
  alsoRefused: () => [],
  accessToken: true,
};
