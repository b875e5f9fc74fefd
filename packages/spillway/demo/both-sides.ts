import { setTimeout } from 'node:timers/promises';
import type { Cluster } from '@spillway/devcluster';
import type { Pod, Service } from '@spillway/kube';
import { burstLabels } from '../src/podspec/contract.ts';
import { outputOf, show, type Words } from './commands.ts';
import { say } from './narrator.ts';

/** A frontend on the real node and a backend that bursts, each behind a Service, call each other by name. */
export async function showBothSides(cluster: Cluster): Promise<void> {
  say('Services work on both sides: a frontend on the real node and a backend in CCI call each other by name.');
  const items = [pod('frontend', 'off'), pod('backend', 'enforce'), service('frontend'), service('backend')];
  await outputOf(cluster, ['kubectl', 'apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const pods = ['pod/frontend', 'pod/backend'];
  await outputOf(cluster, ['kubectl', 'wait', '--for=condition=Ready', ...pods, '--timeout=120s']);
  for (const [from, to] of [
    ['frontend', 'backend'],
    ['backend', 'frontend'],
  ] as const) {
    const call: Words = ['kubectl', 'exec', from, '--', 'wget', '-qO-', `http://${to}`];
    // Endpoints of a new Service are known a moment later.
    for (const deadline = performance.now() + 30_000; (await cluster.kubectl(call.slice(1))).code !== 0; ) {
      if (performance.now() > deadline) throw new Error(`the ${from} does not reach the ${to}`);
      await setTimeout(200);
    }
    await show(cluster, call);
  }
  await outputOf(cluster, ['kubectl', 'delete', ...pods, 'service/frontend', 'service/backend', '--wait=false']);
}

function pod(name: string, burst: 'off' | 'enforce'): Pod {
  // The real node is full: what goes there asks for nothing.
  const resources = burst === 'off' ? {} : { requests: { cpu: '250m', memory: '64Mi' } };
  const page = `echo "the ${name}, on node $NODE" > /tmp/index.html; exec httpd -f -p 8080 -h /tmp`;
  const env = [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }];
  const command = ['sh', '-c', page];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name, [burstLabels[0]]: burst } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'busybox', command, env, resources }],
    },
  };
}

function service(name: string): Service {
  const spec = { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
}
