import { type Cluster } from '@spillway/devcluster';
import {
  ApiError,
  cronJobs,
  type Deployment,
  deployments,
  jobs,
  KubeClient,
  type KubeObject,
  loadKubeconfig,
  namespaces,
  type Pod,
  pods,
  type ResourceType,
  statefulSets,
} from '@spillway/kube';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { borrowCluster } from '../../../../devcluster/testkit/borrow.ts';
import { eventuallyHolds } from '../../../testkit/eventually.ts';
import { burstLabels, managedByProfileAnnotation } from '../../podspec/contract.ts';
import { parseJson } from './admitted.ts';
import { evaluate } from './evaluate.ts';
import { applyPatch } from './json-patch.ts';
import { mutatingPolicies, type PolicyManifest, unknownValuePolicy } from './policies.ts';
import { type ScheduleProfile, scheduleProfiles } from './schedule-profile.ts';
import { scheduleProfileCrd } from './schedule-profile-crd.ts';
import { generatedPod, generatedWorkload } from '../testing/generate.ts';
import { unknownValues } from './unknown-value.ts';

const namespace = 'agree';
const types: Readonly<Record<string, ResourceType<KubeObject>>> = {
  Pod: pods,
  Deployment: deployments,
  StatefulSet: statefulSets,
  Job: jobs,
  CronJob: cronJobs,
};

type Answer = { readonly object: KubeObject } | { readonly refused: string };

let cluster: Cluster;
let client: KubeClient;
/** The same objects come again from it; part of the messages. */
const seed = Date.now() % 2 ** 31;
/** What the cluster makes of objects while nothing of ours is installed. */
let without: readonly KubeObject[];

beforeAll(async () => {
  cluster = await borrowCluster();
  client = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  await client.resource(namespaces).create({ metadata: { name: namespace } });
  await eventuallyHolds(async () => expect(await answerTo(pod('probe', {}))).toHaveProperty('object'));
  const objects = fc.sample(fc.oneof(generatedPod, generatedWorkload), { seed, numRuns: 600 });
  const answers = await Promise.all(objects.map(answerTo));
  without = answers.flatMap((answer) => ('object' in answer ? [answer.object] : []));
  for (const manifest of [...mutatingPolicies('spillway'), ...unknownValuePolicy('spillway')]) await apply(manifest);
  // Informers of the API server: one canary for every kind of policy.
  await eventuallyHolds(async () =>
    expect(await answerTo(pod('canary', { [burstLabels[0]]: 'nonsense' }))).toHaveProperty('refused'),
  );
  for (const kind of ['Pod', 'Deployment', 'Job', 'CronJob']) {
    const object = without.find((one) => one.kind === kind && isAccepted(one) && writes(one));
    if (!object) throw new Error(`no ${kind} among the generated objects is changed by a rule`);
    await eventuallyHolds(async () =>
      expect(await answerTo(object), `seed ${seed}`).toEqual({ object: expected(object) }),
    );
  }
});

afterAll(async () => {
  await client?.close();
  await cluster?.close();
});

const podSpec = { automountServiceAccountToken: false, containers: [{ name: 'main', image: 'busybox' }] };
const pod = (name: string, labels: Record<string, string>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: podSpec,
});
const relevant = ({ metadata, spec }: Deployment): object => ({
  labels: metadata?.labels ?? {},
  annotations: metadata?.annotations ?? {},
  spec,
});
const isAccepted = (object: KubeObject): boolean => unknownValues({ operation: 'CREATE', object }).length === 0;
const writes = (object: KubeObject): boolean => evaluate({ operation: 'CREATE', object }).length > 0;

async function answerTo(object: KubeObject): Promise<Answer> {
  const type = types[object.kind ?? ''];
  if (!type) throw new Error(`no type for ${object.kind}`);
  try {
    // The status of a gated pod says when it was created.
    const { status: _status, ...answer } = await client
      .resource(type)
      .create<KubeObject & { status?: object }>(
        { ...object, metadata: { ...object.metadata, namespace } },
        { dryRun: true },
      );
    const { uid: _uid, creationTimestamp: _created, managedFields: _managed, ...metadata } = answer.metadata ?? {};
    return { object: { ...withoutGenerated(answer), metadata } };
  } catch (error) {
    if (error instanceof ApiError) return { refused: error.message };
    throw error;
  }
}

/** The labels and the selector that a Job gets from its UID. */
function withoutGenerated(object: KubeObject): KubeObject {
  if (object.kind !== 'Job') return object;
  return parseJson<KubeObject>(
    JSON.stringify(object, (key, value: unknown) =>
      /controller-uid$|job-name$/.test(key) || key === 'selector' ? undefined : value,
    ),
  );
}

async function apply(manifest: PolicyManifest | typeof scheduleProfileCrd | ScheduleProfile): Promise<void> {
  const { code, stderr } = await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(manifest) });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

const expected = (object: KubeObject, profiles: readonly ScheduleProfile[] = []): KubeObject =>
  applyPatch(object, evaluate({ operation: 'CREATE', object }, profiles));

async function create(spec: object): Promise<void> {
  const profile = {
    metadata: { name: 'bad', namespace },
    spec: parseJson<ScheduleProfile['spec']>(JSON.stringify(spec)),
  };
  await client.resource(scheduleProfiles).create(profile);
}

describe('the policies in the API server and the evaluator of the webhook', () => {
  it('write the same into generated pods and workloads, and refuse the same, while ScheduleProfiles are unknown', async () => {
    const accepted = without.filter(isAccepted);
    const refused = without.filter((object) => !isAccepted(object));
    expect(accepted.length).toBeGreaterThan(100);
    expect(refused.length).toBeGreaterThan(20);
    expect(accepted.filter(writes).length).toBeGreaterThan(50);
    for (const object of accepted) expect(await answerTo(object), `seed ${seed}`).toEqual({ object: expected(object) });
    for (const object of refused) {
      const answer = await answerTo(object);
      expect(answer).toMatchObject({
        refused: expect.stringContaining('is not a valid value of the burst label') as unknown,
      });
      const [first = ''] = unknownValues({ operation: 'CREATE', object });
      expect('refused' in answer && answer.refused).toContain(first);
    }
  });

  it('write the same again into what they wrote', async () => {
    for (const object of without.slice(0, 100).filter(isAccepted)) {
      const once = expected(object);
      expect(await answerTo(once), `seed ${seed}`).toEqual({ object: once });
    }
  });

  it('write the same when a workload is updated, whether its label changes or not', async () => {
    const template = { labels: { app: 'web' } };
    const made = await client.resource(deployments).create({
      metadata: { namespace, name: 'updated', labels: { [burstLabels[0]]: 'auto' } },
      spec: {
        replicas: 0,
        selector: { matchLabels: template.labels },
        template: { metadata: template, spec: podSpec },
      },
    });
    const changes = [
      { labels: { [burstLabels[0]]: 'auto', more: 'x' } },
      { labels: { [burstLabels[0]]: 'enforce' } },
      { labels: { [burstLabels[1]]: 'off' } },
      { labels: {} },
      { labels: {}, annotations: {} },
      { labels: { [burstLabels[0]]: 'off' }, annotations: { note: 'the copy is forgotten' } },
    ];
    const templates = [
      made.spec?.template.metadata?.labels,
      template.labels,
      { ...template.labels, [burstLabels[1]]: 'off' },
    ];
    let written = 0;
    for (const change of changes) {
      for (const labels of templates) {
        // Somebody else, such as the controller, may have written in the meantime.
        await eventuallyHolds(async () => {
          const oldObject = await client.resource(deployments).get({ namespace, name: 'updated' });
          const object: Deployment = {
            ...oldObject,
            metadata: { ...oldObject.metadata, ...change },
            spec: {
              ...oldObject.spec,
              template: { ...oldObject.spec?.template, metadata: { labels: labels ?? {} } },
            },
          };
          const patch = evaluate({ operation: 'UPDATE', object, oldObject });
          const answer = await client.resource(deployments).replace(object, { dryRun: true });
          expect(relevant(answer)).toEqual(relevant(applyPatch(object, patch)));
          written += patch.length;
        });
      }
    }
    expect(written).toBeGreaterThan(8);
  });

  it('agree on the profile of a pod: none installed, one, and several of which the best wins', async () => {
    await apply(scheduleProfileCrd);
    const specs: readonly ScheduleProfile['spec'][] = [
      {
        objectLabels: { matchLabels: { app: 'web' } },
        strategy: 'enforce',
        virtualNodes: [{ type: 'gpu' }, { type: 'big' }],
        location: { cci: { maxNum: 3 } },
      },
      { objectLabels: { matchLabels: { app: 'web', tier: 'front' } }, strategy: 'localPrefer' },
      { objectLabels: { matchLabels: { tier: 'front' } }, strategy: 'auto', location: { local: { maxNum: 0 } } },
      { objectLabels: { matchLabels: { app: 'db' } }, strategy: 'enforce', virtualNodes: [{ type: 'bursting-node' }] },
      {
        objectLabels: { matchLabels: { app: 'db', tier: 'back' } },
        strategy: 'enforce',
        virtualNodes: [{ type: 'gpu' }],
      },
    ];
    const generated = without.filter((object) => object.kind === 'Pod' && isAccepted(object));
    // Of each profile one pod at least.
    const own = await Promise.all(
      specs.map(({ objectLabels }) => answerTo(pod('own', { ...objectLabels.matchLabels }))),
    );
    const podsOnly = [...own.flatMap((answer) => ('object' in answer ? [answer.object] : [])), ...generated];
    expect(podsOnly.length).toBeGreaterThan(60);
    for (const object of podsOnly.slice(0, 30))
      expect(await answerTo(object), `seed ${seed}`).toEqual({ object: expected(object) });
    for (const [index, spec] of specs.entries()) {
      const name = `profile-${index}`;
      await client.resource(scheduleProfiles).create({ metadata: { name, namespace }, spec });
      const { items } = await client.resource(scheduleProfiles).list({ namespace });
      const canary = pod('canary', spec.objectLabels.matchLabels);
      // The API server's view of profiles and policies catches up.
      await expect
        .poll(async () => {
          const answer = await answerTo(canary);
          return 'object' in answer && answer.object.metadata?.annotations?.[managedByProfileAnnotation];
        })
        .toBe(expected(canary, items).metadata?.annotations?.[managedByProfileAnnotation]);
      for (const object of podsOnly)
        expect(await answerTo(object), `seed ${seed}`).toEqual({ object: expected(object, items) });
    }
    const { items } = await client.resource(scheduleProfiles).list({ namespace });
    // The API server calls policies in an order of its own, another one each time that it has read them.
    for (let round = 0; round < 6; round += 1) {
      await cluster.kubectl(['annotate', '--overwrite', 'mutatingadmissionpolicies', '--all', `round=${round}`]);
      for (const object of podsOnly.slice(0, 60)) {
        expect(await answerTo(object), `seed ${seed}`).toEqual({ object: expected(object, items) });
      }
    }
    const managed = podsOnly.filter(
      (object) => expected(object, items).metadata?.annotations?.[managedByProfileAnnotation],
    );
    expect(
      new Set(managed.map((object) => expected(object, items).metadata?.annotations?.[managedByProfileAnnotation]))
        .size,
    ).toBe(specs.length);
    expect(JSON.stringify(managed.map((object) => expected(object, items)))).toContain(
      '{"key":"bursting.cci.io/node-type","operator":"In","values":["gpu","big"]}',
    );
  });

  it('refuse malformed profiles with a sentence that says what is wrong', async () => {
    const objectLabels = { matchLabels: { app: 'web' } };
    await expect(create({ objectLabels, strategy: 'sometimes' })).rejects.toThrow(/Unsupported value: "sometimes"/);
    await expect(create({ objectLabels: { matchLabels: {} }, strategy: 'auto' })).rejects.toThrow(
      /at least 1 properties/,
    );
    await expect(create({ strategy: 'auto' })).rejects.toThrow(/spec\.objectLabels: Required/);
    await expect(create({ objectLabels, strategy: 'auto', location: { cci: { maxNum: -1 } } })).rejects.toThrow(
      /greater than or equal to 0/,
    );
    await expect(create({ objectLabels, strategy: 'enforce', location: { local: { maxNum: 1 } } })).rejects.toThrow(
      /remove location\.local\.maxNum/,
    );
  });
});
