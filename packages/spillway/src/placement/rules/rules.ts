import {
  burstScheduler,
  burstTaint,
  type BurstValue,
  preferLocalAnnotation,
  preferTaint,
  virtualNodeType,
} from '../../podspec/contract.ts';

/** Who bursts, as data. Two carriers read it: `evaluate.ts` (webhook, plan) and `cel.ts` (admission policies). */

export type Operation = 'CREATE' | 'UPDATE';

/** What a request must be about for a rule to be asked. */
export interface Target {
  /** Of the policy and the webhook entry. */
  readonly name: string;
  readonly apiGroup: string;
  readonly resources: readonly string[];
  readonly kinds: readonly string[];
  readonly operations: readonly Operation[];
}

interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
}

export type Condition =
  /** The label, or its alias, has one of the values. */
  | { readonly type: 'burst'; readonly values: readonly BurstValue[] }
  | { readonly type: 'unlabelled' }
  /** The pod names no node by `spec.nodeName`. */
  | { readonly type: 'unassigned' }
  | { readonly type: 'notOfDaemonSet' }
  /** By a toleration without a key, of any effect or of NoSchedule. */
  | { readonly type: 'toleratesEverything' }
  | { readonly type: 'uncontrolled' }
  /** Created with the label, or updated so that the label says something else, or nothing, now. Never with an unknown value. */
  | { readonly type: 'labelChanged' }
  | { readonly type: 'not'; readonly condition: Condition };

export type Action =
  | { readonly type: 'tolerate'; readonly taints: readonly Taint[] }
  | { readonly type: 'selectNode'; readonly key: string; readonly value: string }
  /** Required node affinity `key NotIn (value)`, in every term. */
  | { readonly type: 'avoidNodes'; readonly key: string; readonly value: string }
  /** Unless the pod names a scheduler of its own. */
  | { readonly type: 'useScheduler'; readonly name: string }
  | { readonly type: 'annotate'; readonly key: string; readonly value: string }
  /**
   * Tolerates the keys' NoExecute without a time limit, in place of the tolerations of `defaultSeconds` that
   * Kubernetes (DefaultTolerationSeconds) has added before. The first match counts, so it is no use to append.
   */
  | { readonly type: 'outlast'; readonly keys: readonly string[]; readonly defaultSeconds: number }
  /** To the labels of the pod template at the path, unless the user wrote one there. */
  | { readonly type: 'copyLabel'; readonly template: readonly string[] };

export interface Rule {
  readonly name: string;
  readonly when: readonly Condition[];
  readonly actions: readonly Action[];
}

export interface RuleSet {
  readonly target: Target;
  readonly rules: readonly Rule[];
}

/** The node of other pods is decided already. */
export const eligible: readonly Condition[] = [{ type: 'unassigned' }, { type: 'notOfDaemonSet' }];
const burst = (...values: readonly BurstValue[]): readonly Condition[] => [...eligible, { type: 'burst', values }];
const avoidVirtualNodes: Action = { type: 'avoidNodes', ...virtualNodeType };

export const guardConditions: readonly Condition[] = [
  ...eligible,
  { type: 'unlabelled' },
  { type: 'toleratesEverything' },
];

/** What follows from the pod alone. Pods with `auto` are let in by who knows the pools: `let-in.ts`. */
export const podRules: RuleSet = {
  target: { name: 'pods', apiGroup: '', resources: ['pods'], kinds: ['Pod'], operations: ['CREATE'] },
  rules: [
    {
      name: 'localPrefer',
      when: burst('localPrefer'),
      actions: [{ type: 'annotate', key: preferLocalAnnotation, value: 'true' }],
    },
    {
      name: 'enforce',
      when: burst('enforce'),
      actions: [
        { type: 'selectNode', ...virtualNodeType },
        { type: 'tolerate', taints: [burstTaint, preferTaint] },
        { type: 'useScheduler', name: burstScheduler },
      ],
    },
    { name: 'off', when: burst('off'), actions: [avoidVirtualNodes] },
    { name: 'guard', when: guardConditions, actions: [avoidVirtualNodes] },
    {
      // Pods that may run on real nodes too must leave one that dies. On a virtual node the core lifts their time limit.
      name: 'outlast-node-failure',
      when: burst('enforce'),
      actions: [
        {
          type: 'outlast',
          keys: ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'],
          defaultSeconds: 300,
        },
      ],
    },
  ],
};

const copyLabel = (template: readonly string[]): readonly Rule[] => [
  {
    name: 'copy-label',
    when: [{ type: 'uncontrolled' }, { type: 'labelChanged' }],
    actions: [{ type: 'copyLabel', template }],
  },
];

export const workloadRules: readonly RuleSet[] = [
  {
    target: {
      name: 'workloads',
      apiGroup: 'apps',
      resources: ['deployments', 'statefulsets'],
      kinds: ['Deployment', 'StatefulSet'],
      operations: ['CREATE', 'UPDATE'],
    },
    rules: copyLabel(['spec', 'template']),
  },
  {
    // The template of a Job cannot change: a mutation on UPDATE would break every later change of an older Job.
    target: { name: 'jobs', apiGroup: 'batch', resources: ['jobs'], kinds: ['Job'], operations: ['CREATE'] },
    rules: copyLabel(['spec', 'template']),
  },
  {
    target: {
      name: 'cronjobs',
      apiGroup: 'batch',
      resources: ['cronjobs'],
      kinds: ['CronJob'],
      operations: ['CREATE', 'UPDATE'],
    },
    rules: copyLabel(['spec', 'jobTemplate', 'spec', 'template']),
  },
];

/** Where the kinds have their pod template. A map, because an object may say any text for its kind. */
export const templatePaths: ReadonlyMap<string, readonly string[]> = new Map(
  workloadRules.flatMap(({ target, rules }) =>
    rules.flatMap(({ actions }) =>
      actions.flatMap((action) =>
        action.type === 'copyLabel' ? target.kinds.map((kind) => [kind, action.template] as const) : [],
      ),
    ),
  ),
);
