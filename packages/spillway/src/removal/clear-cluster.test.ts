import {
  ApiError,
  type KubeClient,
  type KubeObject,
  type Lease,
  type ObjectRef,
  type ResourceType,
  systemClock,
} from '@spillway/kube';
import { expect, test } from 'vitest';
import { asInstalled } from '../addon/installation/installed-config.ts';
import { parseConfig } from '../config/load.ts';
import { labelsOf } from '../podspec/installation.ts';
import { stoppedView } from './clear-cluster.ts';

const namespace = 'spillway-system';
const pools = 'pools: [{name: a, nodeName: vk, backend: {type: simulated}}]';
const config = asInstalled(parseConfig(pools, 'config.yaml'), namespace);

/** A process that gives up its lease when its Deployment is scaled to zero. */
function servedCluster(): KubeClient {
  const lease: Lease = {
    kind: 'Lease',
    metadata: { namespace, name: 'spillway-a', resourceVersion: '1' },
    spec: { holderIdentity: 'pod' },
  };
  const objects: KubeObject[] = [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace, name: 'spillway', labels: labelsOf('spillway') },
    },
    { kind: 'Pod', metadata: { namespace, name: 'pod', labels: labelsOf('spillway') } },
    lease,
  ];
  const resource = ({ kind }: ResourceType<KubeObject>): object => ({
    get: async ({ name }: ObjectRef) => {
      const found = objects.find((each) => each.kind === kind && each.metadata?.name === name);
      if (found === undefined) throw new ApiError('not found', { status: 404, reason: 'NotFound' });
      return structuredClone(found);
    },
    list: async () => ({ items: objects.filter((each) => each.kind === kind) }),
    pages: async function* () {
      yield { items: objects.filter((each) => each.kind === kind) };
    },
    patch: async () => {
      objects.splice(1, 1);
      lease.metadata = { ...lease.metadata, resourceVersion: '2' };
      lease.spec = { holderIdentity: '' };
    },
  });
  const client: KubeClient = Object.assign(Object.create(null), { resource });
  return client;
}

test('a lease that the stopped process has given up is not one that somebody renews', async () => {
  const told: string[] = [];
  const persistence = { tell: (line: string) => void told.push(line), clock: systemClock };
  const { leases } = await stoppedView(servedCluster(), config, undefined, persistence, new AbortController().signal);
  expect(leases.map(({ metadata, spec }) => [metadata?.name, metadata?.resourceVersion, spec?.holderIdentity])).toEqual(
    [['spillway-a', '2', '']],
  );
  expect(told).toEqual(['Stopping Deployment spillway-system/spillway']);
});
