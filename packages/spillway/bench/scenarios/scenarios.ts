import { lifecycle } from './lifecycle.ts';
import { enforce, overflow } from './placement.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [lifecycle, overflow, enforce];
