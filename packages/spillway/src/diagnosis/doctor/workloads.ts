import type { KubeObject, PodTemplateSpec } from '@spillway/kube';
import { burstLabelOf, burstValues } from '../../podspec/contract.ts';
import { counted } from '../../podspec/words.ts';
import { type Check, type Finding, named } from './view.ts';

interface Workload extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly template?: PodTemplateSpec };
}

/** Labels of workloads that do not do what they seem to. */
export const checkWorkloads: Check = ({ deployments, statefulSets, jobs }) => [
  ...deployments.flatMap((workload) => labelFindings('Deployment', workload)),
  ...statefulSets.flatMap((workload) => labelFindings('StatefulSet', workload)),
  ...jobs.filter(({ status }) => !status?.completionTime).flatMap((workload) => labelFindings('Job', workload)),
];

function labelFindings(kind: string, workload: Workload): Finding[] {
  const object = named(kind, workload);
  const own = burstLabelOf(workload.metadata?.labels);
  const template = burstLabelOf(workload.spec?.template?.metadata?.labels);
  const findings: Finding[] = [];
  for (const found of [own, template]) {
    if (found.kind !== 'invalid') continue;
    findings.push({
      code: 'unknown-burst-value',
      severity: 'warning',
      object,
      message: `"${found.text}" is not a valid value of the label ${found.label}, so the pods do not burst`,
      remedy: `Use one of ${burstValues.join(', ')}.`,
    });
  }
  if (own.kind === 'valid' && template.kind === 'absent' && workload.metadata?.ownerReferences === undefined) {
    findings.push({
      code: 'label-without-effect',
      severity: 'warning',
      object,
      message: `the label ${own.label}=${own.value} was set before Spillway was installed, so the pods do not have it`,
      remedy:
        kind === 'Job'
          ? 'The template of a Job cannot be changed: create the Job again.'
          : patchOf(kind, workload, own),
    });
  }
  return findings;
}

function patchOf(
  kind: string,
  { metadata, spec }: Workload,
  { label, value }: { label: string; value: string },
): string {
  const patch = { spec: { template: { metadata: { labels: { [label]: value } } } } };
  const command = `kubectl -n ${metadata?.namespace ?? ''} patch ${kind.toLowerCase()} ${metadata?.name ?? ''} -p '${JSON.stringify(patch)}'`;
  const { replicas = 1 } = spec ?? {};
  return replicas === 0 ? command : `${command} (this restarts ${counted(replicas, 'pod')})`;
}
