// Whether a pool runs a pod, and in which size, is asked in many places. Here all of them are asked about the same pods, and
// compared with what happens to them.
import { type Container, type Node, type PersistentVolume, type Pod, silentLogger } from '@spillway/kube';
import * as fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { fieldMistake } from '../../../cci-standin/src/rules/pod-fields.ts';
import { sizeOf } from '../../../cci-standin/src/rules/pod-size-v2.ts';
import { sizeMistake } from '../../../cci-standin/src/rules/pod-size.ts';
import type { AdmissionRequest } from '../admission/admission-review.ts';
import { advise } from '../admission/advise.ts';
import { mutate } from '../admission/mutate.ts';
import { dialects } from '../backends/cci/dialects.ts';
import { podDialect } from '../backends/cci/pod-dialect.ts';
import { translate } from '../backends/kubernetes/fields/translate.ts';
import { supports } from '../backends/support.ts';
import { makeWorkload } from '../backends/testing/workloads.ts';
import { checkNotTaken } from '../diagnosis/doctor/not-taken.ts';
import type { ClusterView } from '../diagnosis/doctor/view.ts';
import { type LiveCluster, planOf } from '../diagnosis/plan/plan.ts';
import type { PoolPlan } from '../diagnosis/plan/pool-plan.ts';
import { poolsOfNodes } from '../diagnosis/pools.ts';
import { roomOf } from '../diagnosis/room.ts';
import { why } from '../diagnosis/why.ts';
import { choosePool } from '../placement/binder/choose-pool.ts';
import { applyPatch } from '../placement/rules/json-patch.ts';
import { unschedulable } from '../placement/testing/objects.ts';
import { waitingForRefusals } from '../pods/core/problems.ts';
import { reviewPod } from '../pods/intake/pod-review.ts';
import { CoreWorld } from '../pods/testing/core-world.ts';
import {
  backendAnnotation,
  blockedTaint,
  burstLabelOf,
  burstTaint,
  notSupportedReason,
  preferTaint,
  sizingAnnotation,
  virtualNodeLabels,
} from '../podspec/contract.ts';
import { askPools, fitOf, type Pool } from '../podspec/fit/fit.ts';
import { selectsNode, untoleratedTaints } from '../podspec/fit/node-match.ts';
import type { RuleSetName } from '../podspec/sizing/rule-sets.ts';
import { formatCpu, formatMemory, type Size } from '../podspec/sizing/size.ts';
import { asSized } from '../podspec/sizing/sized-pod.ts';
import { noClaims } from '../podspec/testing/claims.ts';
import { generatedBurstPod } from '../podspec/testing/generated-pods.ts';
import { sentences } from '../podspec/words.ts';

const count = Math.ceil(2000 * Math.min(inject('historyFactor'), 20));
const seed = inject('historySeed');
const patience = 120_000 * Math.max(1, inject('historyFactor'));

const allocatable: Readonly<Record<string, string>> = {
  cpu: '20',
  memory: '100Gi',
  pods: '9',
  'ephemeral-storage': '100Gi',
};

function node(name: string, backend: string, sizing: RuleSetName, more: Partial<Node['spec']> = {}, team = 'a'): Node {
  return {
    metadata: {
      name,
      labels: { ...virtualNodeLabels, 'kubernetes.io/hostname': name, 'kubernetes.io/arch': 'amd64', team },
      annotations: { [backendAnnotation]: backend, [sizingAnnotation]: sizing },
    },
    spec: { taints: [burstTaint, preferTaint], ...more },
    status: { allocatable, conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

const nodes: readonly Node[] = [
  node('blocked', 'cci-v1', 'cci', { taints: [burstTaint, preferTaint, blockedTaint] }),
  node('cci', 'cci-v1', 'cci', {}, 'b'),
  node('cci-2', 'cci-v2', 'cci2'),
  node('legacy', 'cci-v1', 'cci-legacy', { taints: [] }),
  node('other-cluster', 'kubernetes', 'none', { unschedulable: true }),
  node('compact', 'kubernetes', 'cci-compact', {}, 'b'),
  node('rehearsal', 'simulated', 'none'),
];
const { pools } = poolsOfNodes(nodes, supports);
const nodeOf = (name: string): Node | undefined => nodes.find(({ metadata }) => metadata?.name === name);
/** Of a kind that every pool mounts. */
const turbo: PersistentVolume = {
  spec: {
    csi: {
      driver: 'sfsturbo.csi.everest.io',
      volumeHandle: 'turbo',
      volumeAttributes: { 'everest.io/share-export-location': 'turbo:/' },
    },
    claimRef: { uid: 'data' },
  },
};

/** With little room, a pool that is closed and a node that is cordoned. */
const now: LiveCluster = { nodes, pods: [], profiles: [], claims: noClaims, remarks: [] };
/** As the pools are whenever pods come. */
const later: LiveCluster = {
  ...now,
  nodes: nodes.map(({ metadata = {} }) => {
    const plenty = { cpu: '1M', memory: '1Pi', pods: '1M', 'ephemeral-storage': '1Pi' };
    return { metadata, status: { allocatable: plenty } };
  }),
  claims: {
    ...noClaims,
    claim: () => ({ metadata: { uid: 'data' }, spec: { volumeName: 'data' }, status: { phase: 'Bound' } }),
    volume: () => turbo,
  },
};
const seen: Omit<ClusterView, 'pods' | 'pools'> = {
  nowMs: 0,
  serverVersion: 'v1.36.3',
  nodes,
  leases: [],
  deployments: [],
  statefulSets: [],
  jobs: [],
  daemonSets: [],
  services: [],
  ingresses: [],
  endpointSlices: [],
  signingRequests: [],
  clusterUid: undefined,
  admission: { policies: [], webhooks: [], probe: undefined },
  unreadable: new Map(),
};

interface Setting {
  readonly pod: Pod;
  readonly those: readonly Pool[];
}

const settings: fc.Arbitrary<Setting> = fc
  .tuple(generatedBurstPod, fc.subarray([...pools], { minLength: 1 }))
  .map(([pod, those]) => ({ pod, those }));

/** @param live absent: no cluster is asked */
function planned({ pod, those }: Setting, live?: LiveCluster): readonly PoolPlan[] {
  const { uid: _, ...metadata } = pod.metadata ?? {};
  const facts = { objects: [{ ...pod, metadata }], pools: those, remarks: [], ...(live && { cluster: live }) };
  return planOf(facts).workloads[0]?.pools ?? [];
}

const verdicts = (plans: readonly Pick<PoolPlan, 'burst'>[]): readonly string[] => plans.map(({ burst }) => burst);
const codes = (plans: readonly Pick<PoolPlan, 'reasons'>[]): readonly (readonly string[])[] =>
  plans.map(({ reasons }) => reasons.map(({ code }) => code));
/** As a pool knows its own. */
const ownNode = { name: 'vk', taints: [burstTaint], labels: virtualNodeLabels };
const valueOf = ({ metadata }: Pod): string => {
  const label = burstLabelOf(metadata?.labels);
  return label.kind === 'valid' ? label.value : '';
};
const creationOf = (pod: Pod): AdmissionRequest => ({
  uid: '1',
  operation: 'CREATE',
  namespace: 'shop',
  object: pod,
  oldObject: undefined,
});

/** What plan says of the setting, by what it is told of the cluster. */
interface Case extends Setting {
  readonly offline: readonly PoolPlan[];
  readonly now: readonly PoolPlan[];
  readonly later: readonly PoolPlan[];
}
const cases = fc.sample(settings, { numRuns: count, seed }).map(
  (setting): Case => ({
    ...setting,
    offline: planned(setting),
    now: planned(setting, now),
    later: planned(setting, later),
  }),
);

const agree = (what: string, check: (one: Case) => void): void =>
  it(
    what,
    () => {
      for (const [index, one] of cases.entries()) {
        try {
          check(one);
        } catch (cause) {
          const { pod, those } = one;
          const about = `${index}, seed ${seed}, pools ${those.map(({ name }) => name).join()}: ${JSON.stringify(pod)}`;
          throw new Error(`they differ about pod ${about}`, { cause });
        }
      }
    },
    patience,
  );

describe('whether a pool runs a pod: plan says the same as', () => {
  agree('why, for the same reasons', ({ pod, those, now: plans }) => {
    const { virtualNodes = [] } = why({ pod, nodes, pools: those, burstPods: [], claims: noClaims, events: [] });
    expect(verdicts(virtualNodes)).toEqual(verdicts(plans));
    expect(codes(virtualNodes)).toEqual(codes(plans));
  });

  agree('the binder, which takes the first pool that runs it', ({ pod, those, now: plans }) => {
    const room = roomOf(nodes, []);
    const choice = choosePool(pod, {
      pools: those,
      nodeOf: ({ nodeName }) => nodeOf(nodeName),
      shortage: (name, amounts) => room.shortage(name, amounts),
      claims: noClaims,
      nodeTypes: [],
    });
    const first = plans.find(({ burst }) => burst === 'yes');
    expect('pool' in choice ? choice.pool.name : undefined).toBe(first?.pool);
  });

  agree('doctor, of pods that wait: it finds those that no pool takes, unless a pool is closed', (one) => {
    // It reads no volume claims.
    if (one.now.some(({ reasons }) => reasons[0]?.code === 'claim')) return;
    const isFound = one.now.every(({ burst, reasons }) => burst !== 'yes' && reasons[0]?.code !== 'blocked');
    const found = checkNotTaken({ ...seen, pods: [unschedulable(one.pod)], pools: one.those });
    expect(found.length > 0).toBe(isFound);
  });

  agree('the pool itself, and so is the size that is billed', ({ pod, those, offline: plans }) => {
    const reviews = those.map((offer) => reviewPod(pod, { node: ownNode, offer, logger: silentLogger }));
    expect(reviews.map(({ refusals }) => refusals.map(({ code }) => code))).toEqual(codes(plans));
    for (const [index, { sized }] of reviews.entries()) {
      if (sized === undefined) continue;
      const { milliCpu, memoryBytes } = sized.pod;
      const billed = { cpu: formatCpu(milliCpu), memory: formatMemory(memoryBytes) };
      expect(plans[index]?.size?.billed).toEqual(billed);
    }
  });

  agree(
    'admission, which refuses what must burst and never can, and warns of what cannot',
    ({ pod, those, later: plans }) => {
      const { allowed, warnings = [] } = advise(creationOf(pod), askPools(those, nodeOf));
      const selected = plans.filter(({ reasons }) => reasons[0]?.code !== 'selector');
      const never = selected.length > 0 && selected.every(({ burst }) => burst === 'no');
      expect(allowed).toBe(!(valueOf(pod) === 'enforce' && never));
      if (!allowed) return;
      const isWarned = warnings.some((text) => text.includes('no pool runs them'));
      expect(isWarned).toBe(plans.every(({ burst }) => burst !== 'yes'));
      const billed = plans.filter(({ pool }) => warnings.some((text) => text.includes(`to pool ${pool}, billed as `)));
      const sized = plans.filter(({ burst }, index) => burst === 'yes' && those[index]?.sizing !== 'none');
      expect(billed).toEqual(sized);
    },
  );

  agree(
    'admission, which lets in what a pool runs, and keeps it from the nodes of others',
    ({ pod, those, later: plans }) => {
      const { patch = [] } = mutate(creationOf(pod), () => [], askPools(those, nodeOf));
      const admitted = applyPatch(pod, patch);
      const { tolerations = [] } = admitted.spec ?? {};
      if (valueOf(pod) === 'auto' && pod.spec?.tolerations === undefined) {
        expect(tolerations.length > 0).toBe(plans.some(({ burst }) => burst !== 'no'));
      }
      if (valueOf(pod) === 'enforce') return;
      for (const [index, { burst }] of plans.entries()) {
        const { nodeName = '', taints = [] } = those[index] ?? {};
        const isOpen =
          selectsNode(admitted, nodeOf(nodeName) ?? {}) && untoleratedTaints(tolerations, taints).length === 0;
        if (burst === 'no') expect(isOpen).toBe(false);
      }
    },
  );
});

describe('what is said of a pod', () => {
  agree('ends in one full stop, and begins keys of Kubernetes as they are written', ({ pod, those, now: plans }) => {
    const reviews = those.map((offer) => reviewPod(pod, { node: ownNode, offer, logger: silentLogger }));
    const { message, warnings = [] } = advise(creationOf(pod), askPools(those, nodeOf));
    const texts = [
      message,
      ...warnings,
      ...plans.flatMap(({ reasons }) => reasons.map((each) => sentences(each.message, each.remedy))),
      ...reviews.map(({ refusals }) => waitingForRefusals(refusals).message),
    ];
    for (const text of texts) expect(text ?? '').not.toMatch(/\.\.(\s|$)|\b[A-Z][a-z]+\.io\//);
  });
});

const isOfPod = ({ name }: { readonly name: string }): boolean => /^(scratch|memory|host|huge|share)$/.test(name);

/** Without those that need the API server to be read. */
function withoutReferences({ spec, metadata, ...pod }: Pod, index: number): Pod {
  const kept = (containers: readonly Container[] = []): Container[] =>
    containers.map((each) => ({ ...each, volumeMounts: (each.volumeMounts ?? []).filter(isOfPod) }));
  const volumes = (spec?.volumes ?? []).filter(isOfPod);
  return {
    ...pod,
    metadata: { ...metadata, name: `web-${index}` },
    spec: { ...spec, volumes, containers: kept(spec?.containers), initContainers: kept(spec?.initContainers) },
  };
}

const planOn = (pod: Pod, pool: Pool): PoolPlan | undefined => planned({ pod, those: [pool] })[0];

describe('what plan says of a pod happens', () => {
  const pods = fc.sample(generatedBurstPod, { numRuns: count, seed }).map(withoutReferences);

  it.each(pools.filter(({ name }) => name !== 'blocked').map((pool) => [pool.name, pool] as const))(
    'in a pool like %s',
    async (_, pool) => {
      const world = new CoreWorld({}, { offer: pool });
      const mine = pods.filter((__, index) => pools[index % pools.length] === pool);
      world.start();
      for (const { metadata, spec } of mine) world.create(metadata?.name ?? '', 'forever', spec);
      await world.advance(30_000);
      const runs = (pod: Pod): boolean => planOn(pod, pool)?.burst === 'yes';
      const started = (await world.instances()).map(({ ref }) => ref.name);
      expect(started.toSorted()).toEqual(namesOf(mine.filter(runs)));
      const refused = world.api.all.filter(({ status }) =>
        status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === notSupportedReason),
      );
      expect(namesOf(refused)).toEqual(namesOf(mine.filter((pod) => !runs(pod))));
      await world.close();
    },
    patience,
  );

  it.each([
    ['v1', 'cci'],
    ['v2', 'cci-2'],
  ] as const)('in CCI %s: its region takes what the pool runs, in the size that is told', (version, name) => {
    const pool = pools.find((each) => each.name === name);
    const dialect = podDialect(dialects[version], { region: 'r', volumeRefresh: false });
    for (const { spec } of pods) {
      const workload = makeWorkload({ name, image: 'busybox', spec: spec ?? { containers: [] } });
      const fit = pool && fitOf(workload.pod, pool);
      if (fit?.kind !== 'fits') continue;
      const sized = { ...workload, pod: asSized(workload.pod, fit.sized) };
      const sent = translate(sized, { dialect, owner: { clusterId: 'c', nodeName: 'n' }, namespace: 'burst' }).pod;
      expect(fieldMistake(sent.spec, version === 'v1' ? 1 : 2)).toBeUndefined();
      if (version === 'v1') expect(sizeMistake(sent.spec)).toBeUndefined();
      else expect(sizeOf(sent.metadata, sent.spec)).toEqual({ size: flavour(fit.sized.pod) });
    }
  });

  it('in CCI 1.0: its region finds too many containers where the pool does', () => {
    const [pool] = pools.filter(({ name }) => name === 'cci');
    for (const pod of pods) {
      const codesOf = pool && planOn(pod, pool)?.reasons.map(({ code }) => code);
      const isTooMany = sizeMistake(pod.spec) === 'a pod has at most 5 containers';
      if (codesOf?.includes('too-many-containers') === true) expect(isTooMany).toBe(true);
      if (isTooMany) expect(codesOf).not.toEqual([]);
    }
  });
});

const namesOf = (pods: readonly Pod[]): readonly string[] =>
  pods.map(({ metadata }) => metadata?.name ?? '').toSorted();

/** As CCI 2.0 writes it: `2.00_4.0`. */
function flavour({ milliCpu, memoryBytes }: Size): string {
  return `${(Number(milliCpu) / 1000).toFixed(2)}_${(Number(memoryBytes) / 2 ** 30).toFixed(1)}`;
}
