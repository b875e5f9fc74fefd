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
      /should mount an API token|OIDC discovery of service account issuer|PreStop should call prestop|CustomResourceConversionWebhook|Sample API Server|InClusterConfig/,
    why: "the pod has no way to its own cluster's API server",
  },
  {
    targets: ['cci'],
    tests: /\[sig-network\] (Services|EndpointSlice) |Guestbook application/,
    why: 'pods in CCI do not reach the addresses of Services of the cluster ([what is not there yet](cci.md))',
  },
  {
    targets: ['cci'],
    tests: /downward ?API.* (cpu|memory|limits)/i,
    why: 'in CCI requests and limits are the size that is billed ([sizing](sizing.md#cci); CCE user guide cce_10_0295)',
  },
  {
    targets: ['cci'],
    tests: /kubectl describe prints relevant information/,
    why: 'the test expects a pod without requests, which CCI does not sell; here a policy adds some',
  },
  {
    targets: ['cci'],
    tests: /\/etc\/hosts entries for the cluster/,
    why: 'CCI writes /etc/hosts with the host name alone, and Spillway has no way to add the fully qualified name',
  },
];

/** Undefined: nobody has looked into it. */
export function reasonOf(target: TargetName, test: string): string | undefined {
  return reasons.find(({ targets, tests }) => targets.includes(target) && tests.test(test))?.why;
}
