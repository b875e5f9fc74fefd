import type { PersistentVolumeClaim, StorageClass } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { cciSupport } from '../../backends/cci/fields.ts';
import type { ClaimSources } from '../../podspec/claims.ts';
import type { Pool } from '../../podspec/fit/fit.ts';
import { noClaims } from '../../podspec/testing/claims.ts';
import { parseManifest } from './manifest.ts';
import { type LiveCluster, planOf, type WorkloadPlan } from './plan.ts';

const poolOf = (version: 'v1' | 'v2'): Pool => ({
  name: version,
  nodeName: version,
  taints: [],
  support: cciSupport[version],
  sizing: 'cci',
});

const csi = (driver: string): Omit<StorageClass, 'metadata'> => ({
  provisioner: 'everest-csi-provisioner',
  parameters: { 'csi.storage.k8s.io/csi-driver-name': driver },
});
const classes: Readonly<Record<string, Omit<StorageClass, 'metadata'>>> = {
  'csi-nas': csi('nas.csi.everest.io'),
  'csi-sfsturbo': csi('sfsturbo.csi.everest.io'),
  'csi-disk': csi('disk.csi.everest.io'),
  'csi-local': { ...csi('local.csi.everest.io'), volumeBindingMode: 'WaitForFirstConsumer' },
};
/** `csi-nas` is the default. */
const storageClass = (name = 'csi-nas'): StorageClass | undefined =>
  Object.hasOwn(classes, name) ? { provisioner: '', metadata: { name }, ...classes[name] } : undefined;

function planned(manifest: string, claims: Partial<ClaimSources> = {}): WorkloadPlan {
  const pools = [poolOf('v1'), poolOf('v2')];
  const nodes = pools.map(({ nodeName: name }) => ({
    metadata: { name, labels: { type: 'virtual-kubelet' } },
    status: { allocatable: { cpu: '100', memory: '100Gi', pods: '100', 'ephemeral-storage': '100Gi' } },
  }));
  const known = { ...noClaims, storageClass, ...claims };
  const cluster: LiveCluster = { nodes, pods: [], profiles: [], claims: known, remarks: [] };
  const [workload] = planOf({ objects: parseManifest(manifest, 'f.yaml'), pools, cluster, remarks: [] }).workloads;
  if (workload === undefined) throw new Error('no workload');
  return workload;
}

const statefulSet = (template: string): string => `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: shop, namespace: work, labels: { virtual-kubelet.io/burst-to-cci: enforce } }
spec:
  replicas: 3
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      containers:
        - { name: main, image: nginx, resources: { limits: { cpu: 500m, memory: 1Gi } }, volumeMounts: [{ name: data, mountPath: /data }] }
  volumeClaimTemplates:
    - ${template}
`;
const ofClass = (name: string): string =>
  statefulSet(`{ metadata: { name: data }, spec: { storageClassName: ${name} } }`);

const answers = ({ pools }: WorkloadPlan): unknown[] =>
  pools.map(({ burst, reasons }) => [burst, ...reasons.map(({ code }) => code)]);

describe('claims that a StatefulSet will make', () => {
  it.each([
    ['csi-nas', [['yes'], ['no', 'claim-sfs-unsupported']]],
    ['csi-sfsturbo', [['yes'], ['yes']]],
    [
      'csi-disk',
      [
        ['no', 'claim-storage-unsupported'],
        ['no', 'claim-storage-unsupported'],
      ],
    ],
    [
      'csi-local',
      [
        ['no', 'claim-storage-unsupported'],
        ['no', 'claim-storage-unsupported'],
      ],
    ],
    [
      'none-such',
      [
        ['notNow', 'claim'],
        ['notNow', 'claim'],
      ],
    ],
  ])('with the class %s', (name, expected) => {
    expect(answers(planned(ofClass(name)))).toEqual(expected);
  });

  it('have the default class where they name none', () => {
    const workload = planned(statefulSet('{ metadata: { name: data } }'));
    expect(answers(workload)).toEqual([['yes'], ['no', 'claim-sfs-unsupported']]);
    expect(workload.claims).toEqual([
      {
        claim: 'data-shop-0',
        volume: 'data',
        state: 'expected',
        text: 'is made with the pods, and its volume by the storage class "csi-nas" (everest-csi-provisioner)',
      },
    ]);
  });

  it('are what they are where they are there already', () => {
    const claim: PersistentVolumeClaim = {
      metadata: { uid: 'u' },
      spec: { volumeName: 'pv', storageClassName: 'csi-nas' },
      status: { phase: 'Bound' },
    };
    const volume = { spec: { claimRef: { uid: 'u' }, csi: { driver: 'disk.csi.everest.io', volumeHandle: 'd-1' } } };
    const workload = planned(ofClass('csi-nas'), {
      claim: (_, name) => (name === 'data-shop-0' ? claim : undefined),
      volume: () => volume,
    });
    expect(workload.pools).toMatchObject([
      { burst: 'no', reasons: [{ message: expect.stringContaining('on an EVS disk') as unknown }] },
      { burst: 'no' },
    ]);
    expect(workload.claims).toMatchObject([
      { state: 'bound', text: expect.stringContaining('(disk.csi.everest.io, d-1)') as unknown },
    ]);
  });

  it('begin with the first ordinal', () => {
    const manifest = ofClass('csi-nas').replace('  replicas: 3', '  replicas: 3\n  ordinals: { start: 5 }');
    expect(planned(manifest).claims).toMatchObject([{ claim: 'data-shop-5' }]);
  });

  it('that are no claims are told with their line', () => {
    expect(() => planned(statefulSet('{ metadata: { name: data }, spec: { storageClassName: 3 } }'))).toThrow(
      /^f\.yaml:\d+: .*volumeClaimTemplates\.0\.spec\.storageClassName/,
    );
  });
});

const volume = (driver: string): string => `---
apiVersion: v1
kind: PersistentVolume
metadata: { name: pv }
spec: { csi: { driver: ${driver}, volumeHandle: v-1, volumeAttributes: { everest.io/share-export-location: 'host:/' } } }
`;

describe('a pod with a claim', () => {
  const pod = `
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: work, labels: { virtual-kubelet.io/burst-to-cci: enforce } }
spec:
  containers: [{ name: main, image: nginx, resources: { limits: { cpu: 500m, memory: 1Gi } } }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]
`;
  const claim = `---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data, namespace: work }
spec: { storageClassName: csi-disk }
`;

  it('of the same manifest is judged by its class', () => {
    expect(answers(planned(pod + claim))[0]).toEqual(['no', 'claim-storage-unsupported']);
    expect(answers(planned(pod + claim.replace('csi-disk', 'csi-nas')))[0]).toEqual(['yes']);
  });

  it('that names its volume needs no class, and is judged by the volume', () => {
    const byName = claim.replace('csi-disk', 'by-hand, volumeName: pv');
    const turbo = planned(pod + byName + volume('sfsturbo.csi.everest.io'));
    expect(answers(turbo)[0]).toEqual(['yes']);
    expect(turbo.claims).toMatchObject([
      { state: 'expected', text: expect.stringContaining('"pv" (sfsturbo.csi.everest.io, v-1)') as unknown },
    ]);
    expect(answers(planned(pod + byName + volume('disk.csi.everest.io')))[0]).toEqual([
      'no',
      'claim-storage-unsupported',
    ]);
    expect(answers(planned(pod + byName))[0]).toEqual(['yes']);
  });

  it('of another namespace, or of none, waits for it', () => {
    expect(answers(planned(pod + claim.replace('work', 'other')))[0]).toEqual(['notNow', 'claim']);
    expect(planned(pod).claims).toMatchObject([
      { state: 'unbound', text: 'the PersistentVolumeClaim "data" does not exist. Create the claim.' },
    ]);
  });
});
