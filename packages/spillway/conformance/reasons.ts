import type { TargetName } from './options.ts';

interface Reason {
  readonly targets: readonly TargetName[];
  /** Tests that do not pass for it. */
  readonly tests: RegExp;
  readonly why: string;
}

const virtual = ['kubernetes', 'cci'] as const;

/** Known causes, in place of what a test says when it gives up. */
const reasons: readonly Reason[] = [
  {
    targets: ['control'],
    tests: /at least two untainted nodes/,
    why: 'the cluster has one schedulable node',
  },
  {
    targets: ['control'],
    tests: /ImageVolume/,
    why: 'containerd before 2.0 has no image volumes',
  },
  {
    targets: virtual,
    tests:
      /should mount an API token|OIDC discovery of service account issuer|PreStop should call prestop|CustomResourceConversionWebhook|sample API Server|InClusterConfig/,
    why: "the pod has no way to its own cluster's API server",
  },
];

/** Undefined: nobody has looked into it. */
export function reasonOf(target: TargetName, test: string): string | undefined {
  return reasons.find(({ targets, tests }) => targets.includes(target) && tests.test(test))?.why;
}
