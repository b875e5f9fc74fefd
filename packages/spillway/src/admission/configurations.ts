import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  RuleWithOperations,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
  WebhookClientConfig,
} from '@spillway/kube';
import { all, any, conditionCel, hasUnknownValue, labelled, labelText } from '../placement/rules/cel.ts';
import { eligible, guardConditions, podRules, type Target, workloadRules } from '../placement/rules/rules.ts';
import { profileConditions } from '../placement/rules/adopt-profile.ts';
import { labelsOf } from '../podspec/installation.ts';
import { labelPlaces } from '../placement/rules/unknown-value.ts';

/** Where the API server finds the webhooks: `url` without a path, or a Service. */
export type WebhookAddress =
  | { readonly url: string }
  | { readonly service: { readonly namespace: string; readonly name: string } };

export const webhookAddress = ({
  url,
  namespace,
  serviceName: name,
}: {
  readonly url?: string | undefined;
  readonly namespace: string;
  readonly serviceName: string;
}): WebhookAddress => (url === undefined ? { service: { namespace, name } } : { url });

/** Of an installation. */
export const configurationNames = (installation: string): { readonly mutating: string; readonly advisory: string } => ({
  mutating: installation,
  advisory: `${installation}-advice`,
});
/** The entry whose namespaces are those that have ScheduleProfiles. */
export const profilesEntry = 'profiles.spillway.dev';

const apiVersion = 'admissionregistration.k8s.io/v1';
const workloadTargets = workloadRules.map(({ target }) => target);

/** Selects no namespace: each has this label. */
const noNamespaces = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'DoesNotExist' }] };

/** For the namespaces that have profiles. */
export const selectNamespaces = (names: readonly string[]): NonNullable<MutatingWebhook['namespaceSelector']> =>
  names.length === 0
    ? noNamespaces
    : { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [...names].toSorted() }] };

const enforced = `${labelText('object')} == "enforce"`;
const not = (expression: string): string => `!(${expression})`;
const unknown = any(labelPlaces.map((place) => hasUnknownValue('object', place)));
const conditions = (list: Parameters<typeof conditionCel>[0][]): string => all(list.map(conditionCel));
const changed = all([
  conditionCel({ type: 'uncontrolled' }),
  `request.operation == "CREATE" ? ${labelled('object')} : ${labelText('object')} != ${labelText('oldObject')}`,
]);

export interface MutatingOptions {
  readonly address: WebhookAddress;
  /** Webhooks carry the rules, for clusters without MutatingAdmissionPolicy, 1.28 and newer. */
  readonly rules: boolean;
  /** Keys of the taints of the pools' nodes. */
  readonly taintKeys: readonly string[];
}

/**
 * Calls for pods of which the pools have to be asked: those with `auto`, and those that tolerate a pool's taint by its key. Without
 * the CA, which the server fills in.
 */
export function mutatingConfiguration(
  installation: string,
  { address, rules, taintKeys }: MutatingOptions,
): MutatingWebhookConfiguration {
  const tolerant = all([conditions([...eligible]), toleratesOneOf(taintKeys), not(enforced)]);
  const entry = (
    name: string,
    targets: readonly Target[],
    match: string,
    more: Partial<MutatingWebhook> = {},
  ): MutatingWebhook => ({
    ...commonEntry(name, targets, match, clientConfig(address, '/mutate')),
    reinvocationPolicy: 'IfNeeded',
    ...more,
  });
  const fail = { failurePolicy: 'Fail' } as const;
  const auto = all([conditions([...eligible]), `${labelText('object')} == "auto"`]);
  const webhooks = rules
    ? [
        entry('enforce-pods.spillway.dev', [podRules.target], all([conditions([...eligible]), enforced]), fail),
        entry(
          'pods.spillway.dev',
          [podRules.target],
          any([all([labelled('object'), not(enforced)]), conditions([...guardConditions]), tolerant]),
        ),
        entry(profilesEntry, [podRules.target], conditions([...profileConditions, { type: 'unlabelled' }]), {
          namespaceSelector: noNamespaces,
        }),
        entry('enforce-workloads.spillway.dev', workloadTargets, all([changed, enforced]), fail),
        entry('workloads.spillway.dev', workloadTargets, any([all([changed, not(enforced)]), unknown])),
      ]
    : [entry('pods.spillway.dev', [podRules.target], any([auto, tolerant]))];
  return {
    apiVersion,
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: configurationNames(installation).mutating, labels: labelsOf(installation) },
    webhooks,
  };
}

const toleratesOneOf = (keys: readonly string[]): string =>
  `has(object.spec.tolerations) && object.spec.tolerations.exists(t, has(t.key) && t.key in ${JSON.stringify(keys)})`;

const loadBalancerTargets: readonly Target[] = [
  { name: 'services', apiGroup: '', resources: ['services'], kinds: ['Service'], operations: ['CREATE', 'UPDATE'] },
  {
    name: 'ingresses',
    apiGroup: 'networking.k8s.io',
    resources: ['ingresses'],
    kinds: ['Ingress'],
    operations: ['CREATE', 'UPDATE'],
  },
];
/** Few do: `monitorPortsOf` has the last word. */
const probesOwnPort =
  'has(object.metadata.annotations) && object.metadata.annotations.exists(key, ' +
  'key.startsWith("kubernetes.io/elb.health-check-option") && object.metadata.annotations[key].contains("monitor_port"))';

/** Warnings, and refusals of what could never run. Nothing depends on its answer. */
export function advisoryConfiguration(installation: string, address: WebhookAddress): ValidatingWebhookConfiguration {
  const bursts = any(labelPlaces.map((place) => `${labelText('object', place)} in ["auto", "localPrefer", "enforce"]`));
  const relabelled = all([`request.operation == "UPDATE"`, `${labelText('object')} != ${labelText('oldObject')}`]);
  const entry = (name: string, targets: readonly Target[], match: string): ValidatingWebhook =>
    commonEntry(name, targets, match, clientConfig(address, '/advise'));
  return {
    apiVersion,
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: configurationNames(installation).advisory, labels: labelsOf(installation) },
    webhooks: [
      entry('advice.spillway.dev', [podRules.target, ...workloadTargets], any([bursts, relabelled])),
      entry('load-balancers.spillway.dev', loadBalancerTargets, probesOwnPort),
    ],
  };
}

function commonEntry(
  name: string,
  targets: readonly Target[],
  expression: string,
  client: WebhookClientConfig,
): Omit<ValidatingWebhook, 'objectSelector'> {
  return {
    name,
    rules: targets.map(ruleOf),
    matchConditions: [{ name: 'concerned', expression }],
    clientConfig: client,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    timeoutSeconds: 2,
    failurePolicy: 'Ignore',
    matchPolicy: 'Equivalent',
  };
}

const ruleOf = ({ apiGroup, resources, operations }: Target): RuleWithOperations => ({
  apiGroups: [apiGroup],
  apiVersions: ['v1'],
  resources: [...resources],
  operations: [...operations],
  scope: 'Namespaced',
});

function clientConfig(address: WebhookAddress, path: string): WebhookClientConfig {
  if ('url' in address) return { url: `${address.url}${path}` };
  return { service: { ...address.service, path, port: 443 } };
}

/** Names and addresses that the serving certificate must have. */
export function hostsOf(address: WebhookAddress): readonly string[] {
  if ('url' in address) return [new URL(address.url).hostname.replace(/^\[(.*)\]$/, '$1')];
  const { namespace, name } = address.service;
  return [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
}
