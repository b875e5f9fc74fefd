import { admission } from './admission.ts';
import { churn } from './churn.ts';
import { cli } from './cli.ts';
import { footprint } from './footprint.ts';
import { lifecycle } from './lifecycle.ts';
import { enforce, overflow } from './placement.ts';
import { restart } from './restart.ts';
import type { Scenario } from './scenario.ts';
import { secrets } from './secrets.ts';
import { steady } from './steady.ts';
import { storm } from './storm.ts';
import { streams } from './streams.ts';
import { virtualKubelet } from './virtual-kubelet.ts';

export const scenarios: readonly Scenario[] = [
  lifecycle,
  overflow,
  enforce,
  steady,
  churn,
  restart,
  storm,
  secrets,
  virtualKubelet,
  footprint,
  admission,
  streams,
  cli,
];
