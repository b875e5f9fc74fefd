import { nameOf } from '@spillway/kube';
import { burstLabels, burstTaint } from '../../podspec/contract.ts';
import { type AdmissionView, type Check, type Finding, named } from './view.ts';

/** Policies and webhooks let the cluster go on when they fail, so that a mistake in them is seen by nobody. */
export const checkAdmission: Check = ({ admission }) => [
  ...admission.policies.flatMap(mistakesIn),
  ...inForceFindings(admission),
];

const reinstall = 'Apply what this version prints: spillway manifests admission --config FILE | kubectl apply -f -';

function mistakesIn(policy: AdmissionView['policies'][number]): readonly Finding[] {
  const { typeChecking } = ('status' in policy && policy.status) || {};
  const [first, ...more] = typeChecking?.expressionWarnings ?? [];
  if (first === undefined) return [];
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return [
    {
      code: 'policy-mistake',
      severity: 'warning',
      object: named(policy.kind ?? '', policy),
      message: `the API server finds a mistake in ${first.fieldRef}: ${first.warning.trim()}${rest}`,
      remedy: `${reinstall} (rbac instead of admission for the policies about Spillway's own writes)`,
    },
  ];
}

function inForceFindings({ policies, webhooks, probe }: AdmissionView): readonly Finding[] {
  if (probe === undefined) return [];
  const asked = `a pod with the label ${burstLabels[0]}=enforce`;
  if ('refusal' in probe) {
    return [
      {
        code: 'admission-not-in-force',
        severity: 'warning',
        message: `${asked} cannot be created: ${probe.refusal}`,
        remedy: 'Check that "spillway serve" is running and that the API server can reach its webhooks.',
      },
    ];
  }
  if (probe.pod.spec?.tolerations?.some(({ key }) => key === burstTaint.key) === true) return [];
  const installed = [...policies.filter(({ kind }) => kind === 'MutatingAdmissionPolicy').map(nameOf), ...webhooks];
  if (installed.length === 0) {
    return [
      {
        code: 'admission-not-installed',
        severity: 'info',
        message: `burst labels have no effect: ${asked} stays as it is`,
        remedy: 'spillway manifests admission --config FILE | kubectl apply -f -',
      },
    ];
  }
  return [
    {
      code: 'admission-not-in-force',
      severity: 'warning',
      message: `${asked} stays as it is, although the cluster has ${installed.join(', ')}`,
      remedy: `${reinstall}; with webhooks, check that "spillway serve" is running and that the API server can reach it`,
    },
  ];
}
