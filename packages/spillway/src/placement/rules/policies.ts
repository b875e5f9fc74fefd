import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  Mutation,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '@spillway/kube';
import { labelsOf } from '../../podspec/installation.ts';
import {
  actionCel,
  adoptCel,
  all,
  any,
  conditionCel,
  hasUnknownValue,
  keepToTypesCel,
  labelled,
  labelText,
  profileDecides,
  profileMatches,
  quote,
  undecidedByUser,
} from './cel.ts';
import { patchesOf } from './patches.ts';
import { guardConditions, podRules, type Rule, type RuleSet, type Target, workloadRules } from './rules.ts';
import { profileConditions } from './adopt-profile.ts';
import { scheduleProfiles } from './schedule-profile.ts';
import { aroundUnknownValue, labelPlaces } from './unknown-value.ts';

export type PolicyManifest =
  | MutatingAdmissionPolicy
  | MutatingAdmissionPolicyBinding
  | ValidatingAdmissionPolicy
  | ValidatingAdmissionPolicyBinding;

const apiVersion = 'admissionregistration.k8s.io/v1';

/** The rules as policies that the API server carries out by itself, Kubernetes 1.36 and newer. */
export function mutatingPolicies(installation: string): readonly PolicyManifest[] {
  const policy = (parts: PolicyParts): PolicyManifest[] => policyOf(installation, parts);
  return [
    ...policy({
      name: 'pods',
      target: podRules.target,
      conditions: {
        'burst-label-or-tolerates-everything': any([labelled('object'), all(guardConditions.map(conditionCel))]),
      },
      mutations: ruleMutations(podRules),
    }),
    ...workloadRules
      .map((set) => ({
        name: set.target.name,
        target: set.target,
        conditions: conditionsOf(set),
        mutations: set.rules.flatMap(({ actions }) => actions.map((action) => mutation(actionCel(action)))),
      }))
      .flatMap(policy),
    ...policy({
      name: 'profiles',
      target: podRules.target,
      conditions: { ...profileMatch, 'not-decided-better': profileDecides },
      mutations: [mutation(adoptCel())],
      byProfile: true,
    }),
    // Policies are called in no order, a second time only when they were called before. So what follows from a profile's
    // decision has a policy of its own, called for every pod that a profile matches.
    ...policy({
      name: 'profiles-pods',
      target: podRules.target,
      conditions: profileMatch,
      mutations: [...ruleMutations(podRules), mutation(keepToTypesCel())],
      byProfile: true,
    }),
  ];
}

const profileMatch = {
  'for-profiles': all([...profileConditions.map(conditionCel), undecidedByUser]),
  'profile-matches': profileMatches,
};

/** What holds of every rule in the set. */
function conditionsOf({ rules: [first] }: RuleSet): Readonly<Record<string, string>> {
  return Object.fromEntries((first?.when ?? []).map((condition) => [condition.type, conditionCel(condition)]));
}

function ruleMutations({ rules }: RuleSet): readonly Mutation[] {
  return patchesOf(rules).map((steps) =>
    mutation(steps.map(({ rule, action }) => `(${ruleTest(rule)} ? ${actionCel(action)} : [])`).join(' + ')),
  );
}

const ruleTest = ({ when }: Rule): string => all(when.map(conditionCel));

const mutation = (expression: string): Mutation => ({ patchType: 'JSONPatch', jsonPatch: { expression } });

interface PolicyParts {
  readonly name: string;
  readonly target: Target;
  readonly conditions: Readonly<Record<string, string>>;
  readonly mutations: readonly Mutation[];
  /** Called once for each ScheduleProfile of the namespace. */
  readonly byProfile?: boolean;
}

function policyOf(
  installation: string,
  { name: shortName, target, conditions, mutations, byProfile = false }: PolicyParts,
): PolicyManifest[] {
  const name = `${installation}-${shortName}`;
  const labels = labelsOf(installation);
  return [
    {
      apiVersion,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name, labels },
      spec: {
        ...(byProfile ? { paramKind: { apiVersion: scheduleProfiles.apiVersion, kind: scheduleProfiles.kind } } : {}),
        matchConstraints: matchConstraints([target]),
        matchConditions: namedConditions(conditions),
        // Whatever goes wrong here, the cluster goes on.
        failurePolicy: 'Ignore',
        reinvocationPolicy: 'IfNeeded',
        mutations: [...mutations],
      },
    },
    {
      apiVersion,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name, labels },
      spec: {
        policyName: name,
        ...(byProfile ? { paramRef: { selector: {}, parameterNotFoundAction: 'Allow' } } : {}),
      },
    },
  ];
}

function matchConstraints(
  targets: readonly Target[],
): NonNullable<NonNullable<MutatingAdmissionPolicy['spec']>['matchConstraints']> {
  return {
    matchPolicy: 'Equivalent',
    resourceRules: targets.map(({ apiGroup, resources, operations }) => ({
      apiGroups: [apiGroup],
      apiVersions: ['v1'],
      resources: [...resources],
      operations: [...operations],
      scope: 'Namespaced',
    })),
  };
}

const namedConditions = (conditions: Readonly<Record<string, string>>): { name: string; expression: string }[] =>
  Object.entries(conditions).map(([name, expression]) => ({ name, expression }));

/** Kubernetes 1.30 and newer: labels with an unknown value are refused, with the list of those that there are. */
export function unknownValuePolicy(installation: string): readonly PolicyManifest[] {
  const name = `${installation}-burst-label`;
  const metadata = { name, labels: labelsOf(installation) };
  const targets = [podRules, ...workloadRules].map(
    ({ target }): Target => ({ ...target, operations: ['CREATE', 'UPDATE'] }),
  );
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Ignore',
        matchConstraints: matchConstraints(targets),
        matchConditions: [
          { name: 'burst-label', expression: any(labelPlaces.map((place) => labelled('object', place))) },
        ],
        validations: labelPlaces.map((place) => ({
          // What is there already stays as it is: refusing every change of it would keep it for ever.
          expression: `!(${hasUnknownValue('object', place)}) || (request.operation == "UPDATE" && ${labelText('oldObject', place)} == ${labelText('object', place)})`,
          messageExpression: aroundUnknownValue(place)
            .map(quote)
            .join(` + ${labelText('object', place)} + `),
          reason: 'Invalid',
        })),
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ];
}
