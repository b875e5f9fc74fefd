import { randomBytes } from 'node:crypto';
import { events, isNotFound, type KubeClient, type Pod, type ResourceType, systemClock } from '@spillway/kube';
import type { BackendErrorDetails } from '../../backend.ts';
import { BackendError } from '../../backend.ts';
import { pullSecretName } from '../images/pull-secret.ts';
import { pullRemedy } from '../images/swr.ts';
import { troubleOf } from './trouble.ts';
import { testPodSize, type TestPodView } from './view.ts';

export interface TestPodOptions {
  readonly client: KubeClient;
  readonly type: ResourceType<Pod>;
  readonly namespace: string;
  readonly region: string;
  readonly image: string;
}

const startWithinMs = 180_000;
const goneWithinMs = 30_000;
const lookMs = 1_000;

/** Starts a pod that ends after a second, and removes it whatever becomes of it, also when `signal` is aborted. */
export async function runTestPod(options: TestPodOptions, signal: AbortSignal): Promise<TestPodView> {
  const { client, type, namespace, image } = options;
  const name = `spillway-doctor-${randomBytes(4).toString('hex')}`;
  const resource = client.resource(type);
  const began = performance.now();
  const failed = (error: unknown): TestPodView => ({ kind: 'failed', image, trouble: troubleOf(error) });
  let view: TestPodView;
  try {
    await resource.create(testPod(name, namespace, image), { signal });
    await started(options, name, signal);
    view = { kind: 'started', name, image, seconds: Math.ceil((performance.now() - began) / 1000) };
  } catch (error) {
    view = failed(error);
  }
  try {
    await remove(options, name);
    return view;
  } catch (error) {
    return failed(
      new BackendError('unavailable', `the test pod ${name} may still exist and be billed: ${String(error)}`, {
        cause: error,
        remedy: `Delete it in the CCI console, in the namespace ${namespace}`,
      }),
    );
  }
}

/** It carries no marks of a cluster: no pool takes it for one of its own. */
function testPod(name: string, namespace: string, image: string): Pod {
  return {
    metadata: { name, namespace, labels: { 'app.kubernetes.io/name': 'spillway-doctor' } },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: pullSecretName }],
      containers: [
        {
          name: 'main',
          image,
          command: ['sleep', '1'],
          resources: { requests: { ...testPodSize }, limits: { ...testPodSize } },
        },
      ],
    },
  };
}

/** @throws BackendError with why it did not start */
async function started(options: TestPodOptions, name: string, signal: AbortSignal): Promise<void> {
  const { client, type, namespace, region, image } = options;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(startWithinMs)]);
  while (!patience.aborted) {
    const { status } = await client.resource(type).get({ namespace, name }, { signal });
    const state = status?.containerStatuses?.[0]?.state;
    if (status?.phase === 'Succeeded' || state?.running !== undefined) return;
    if (status?.phase === 'Failed' || state?.terminated !== undefined) {
      const why = state?.terminated?.message ?? status?.message ?? state?.terminated?.reason ?? 'no reason given';
      throw new BackendError('internal', `the test pod with ${image} failed: ${why}`, {
        remedy: 'The image must contain the program sleep; use another image with --run-pod IMAGE',
      });
    }
    await systemClock.sleep(lookMs, patience);
  }
  if (signal.aborted) throw new BackendError('unavailable', 'the test pod was cancelled');
  const said = await lastEvent(options, name);
  throw new BackendError(
    'unavailable',
    `the test pod with ${image} has not started within ${startWithinMs / 1000} s: ${said}`,
    remedyFor(said, region),
  );
}

function remedyFor(said: string, region: string): BackendErrorDetails {
  const remedy =
    pullRemedy(said, region) ??
    'Check that the image can be pulled from the subnet of the pods, and that the region has capacity';
  return { remedy };
}

async function lastEvent({ client, type, namespace }: TestPodOptions, name: string): Promise<string> {
  const inGroup = { ...events, apiVersion: type.apiVersion };
  const fieldSelector = `involvedObject.name=${name}`;
  const { items } = await client.resource(inGroup).list({ namespace, fieldSelector });
  const last = items.toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? '')).at(-1);
  return last === undefined ? 'CCI says nothing about it' : `${last.reason ?? ''}: ${last.message ?? ''}`;
}

async function remove({ client, type, namespace }: TestPodOptions, name: string): Promise<void> {
  const resource = client.resource(type);
  const patience = AbortSignal.timeout(goneWithinMs);
  try {
    await resource.delete({ namespace, name }, { gracePeriodSeconds: 0, signal: patience });
    for (;;) {
      await resource.get({ namespace, name }, { signal: patience });
      await systemClock.sleep(lookMs, patience);
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
