import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { prepare } from './prepared.ts';
import { runTarget } from './run-target.ts';
import { selectionOfNames } from './selection.ts';

/** One of each kind of what a pod can do, of the tests that take seconds. */
const names = [
  '[sig-apps] Job should create pods for an Indexed job with completion indexes and specified hostname',
  '[sig-apps] ReplicaSet Replace and Patch tests',
  '[sig-cli] Kubectl logs logs should be able to retrieve and filter logs',
  '[sig-network] DNS should provide DNS for pods for Subdomain',
  '[sig-network] DNS should provide DNS for services',
  '[sig-network] Proxy version v1 A set of valid responses are returned for both pod and service Proxy',
  '[sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop exec hook properly',
  '[sig-node] Container Runtime blackbox test on terminated container should report termination message if TerminationMessagePath is set as non-root user and at a non-default path',
  '[sig-node] Downward API should provide pod name, namespace and IP address as env vars',
  '[sig-node] Ephemeral Containers will start an ephemeral container in an existing pod',
  '[sig-node] InitContainer should not start app containers and fail the pod if init containers fail on a RestartNever pod',
  '[sig-node] Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts',
  '[sig-node] Pods Extended (pod generation) Pod Generation pod generation should start at 1 and increment per update',
  '[sig-node] Pods should be updated',
  '[sig-node] Pods should support remote command execution over websockets',
  '[sig-node] Probing container should be restarted with a exec "cat /tmp/health" liveness probe',
  '[sig-node] Secrets should be consumable from pods in env vars',
  '[sig-node] Security Context should support pod.Spec.SecurityContext.RunAsUser And pod.Spec.SecurityContext.RunAsGroup',
  '[sig-node] Variable Expansion should allow substituting values in a volume subpath',
  '[sig-storage] ConfigMap optional updates should be reflected in volume',
  '[sig-storage] EmptyDir volumes should support (non-root,0777,tmpfs)',
  '[sig-storage] Projected combined should project all components that make up the projection API [Projection]',
  '[sig-storage] Projected downwardAPI should update labels on modification',
  '[sig-storage] Secrets should be consumable from pods in volume',
  '[sig-storage] Subpath Atomic writer volumes should support subpaths with projected pod',
];

test("pods on a virtual node of another cluster pass Kubernetes' own tests", async ({ signal }) => {
  const said: string[] = [];
  const log = (line: string): void => void said.push(line);
  const prepared = await prepare({ busybox: 'debian', report: log, signal });
  const dir = await mkdtemp(path.join(tmpdir(), 'spillway-conformance-'));
  try {
    const selection = selectionOfNames(names);
    const results = await runTarget('kubernetes', dir, {
      ...prepared,
      selection,
      procs: 6,
      log,
      onTest: ({ name, outcome }) => log(`${outcome}: ${name}`),
      signal,
    });
    const others = results.filter(({ outcome }) => outcome !== 'passed');
    expect(others, said.join('\n')).toEqual([]);
    expect(results).toHaveLength(names.length);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
