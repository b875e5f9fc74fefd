import { deployments, type KubeClient, namespaces, replicaSets } from '@spillway/kube';
import { expect } from 'vitest';
import { eventuallyHolds } from '../../../testkit/eventually.ts';
import { burstLabels } from '../../podspec/contract.ts';
import { deployment, podSpec } from './objects.ts';

const [label] = burstLabels;

interface Hands {
  readonly admin: KubeClient;
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
}

/** Labelled workloads from before the installation, one of them with a history. */
export async function oldWorkloads({ admin, kubectl }: Hands, name: string): Promise<void> {
  await admin.resource(namespaces).create({ metadata: { name } });
  const web = deployment(name, 'web', { [label]: 'auto' });
  await admin.resource(deployments).create(web);
  const job = (jobName: string, more: object): object => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { namespace: name, name: jobName, labels: { [label]: 'enforce' } },
    spec: { ...more, template: { spec: { ...podSpec, restartPolicy: 'Never' } } },
  });
  await kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [job('running', {}), job('waiting', { suspend: true })] }),
  );
  await eventuallyHolds(async () => expect(await revisions(admin, name)).toBe(1));
  await kubectl(['set', 'image', '-n', name, 'deployment/web', 'main=busybox:2']);
  await eventuallyHolds(async () => expect(await revisions(admin, name)).toBe(2));
}

const revisions = async (admin: KubeClient, name: string): Promise<number> =>
  (await admin.resource(replicaSets).list({ namespace: name })).items.length;

/** What people do to their workloads every day goes as before, and nothing restarts that did not before. */
export async function oldWorkloadsWorkAsBefore({ admin, kubectl }: Hands, name: string): Promise<void> {
  const web = { namespace: name, name: 'web' };
  await kubectl(['annotate', '-n', name, 'deployment/web', 'job/running', 'note=x']);
  await kubectl(['scale', '-n', name, 'deployment/web', '--replicas=2']);
  await kubectl(['patch', '-n', name, 'job/waiting', '--type=merge', '-p', '{"spec":{"suspend":false}}']);
  await kubectl(['patch', '-n', name, 'job/running', '--type=merge', '-p', '{"spec":{"suspend":true}}']);
  await kubectl(['rollout', 'undo', '-n', name, 'deployment/web']);
  const undone = await admin.resource(deployments).get(web);
  expect(undone.spec?.template.spec?.containers[0]?.image).toBe('busybox');
  expect(undone.spec?.template.metadata?.labels).toEqual({ app: 'web' });
  await eventuallyHolds(async () => {
    const { status, metadata } = await admin.resource(deployments).get(web);
    expect(status?.observedGeneration).toBe(metadata?.generation);
  });
  expect(await revisions(admin, name)).toBe(2);

  const mine = deployment(name, 'web', { [label]: 'auto' });
  const template = { ...mine.spec?.template, metadata: { labels: { app: 'web', team: 'a' } } };
  await kubectl(
    ['apply', '--server-side', '--force-conflicts', '-f', '-'],
    JSON.stringify({ ...mine, spec: { ...mine.spec, template } }),
  );
  const ours = await admin.resource(deployments).get(web);
  expect(ours.spec?.template.metadata?.labels).toEqual({ app: 'web', team: 'a' });
  await kubectl([
    'delete',
    '-n',
    name,
    '--cascade=foreground',
    '--timeout=120s',
    'job/running',
    'job/waiting',
    'deployment/web',
  ]);
}
