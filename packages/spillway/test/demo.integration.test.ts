import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { statusOfClusters } from '@spillway/devcluster';
import { expect, test } from 'vitest';

const execute = promisify(execFile);

test("npm run demo installs Spillway, shows the guide's manifest burst to a CCI region, uninstalls it and leaves nothing", async () => {
  const main = path.join(import.meta.dirname, '../demo/main.ts');
  const { stdout } = await execute(process.execPath, ['--conditions=spillway-source', main, '--name', 'demo-test']);
  expect(stdout).toContain('a CCI region on this machine with real containers');
  expect(stdout).toContain('$ spillway install --config ');
  expect(stdout).toContain('"spillway" in spillway-system is ready, with docker.io/library/spillway:');
  expect(stdout).toMatch(/^spillway-\S+ +1\/1 +Running .* node-1 /m);
  expect(stdout).not.toContain('admission-not-in-force');
  expect(stdout).toContain('mutatingadmissionpolicy.admissionregistration.k8s.io/spillway-pods');
  expect(stdout).toContain('Warning: up to 20 pods may burst to pool cci, billed as 0.5 CPU, 1 GiB each');
  expect(stdout).toMatch(/All 20 are Ready/);
  expect(stdout).toMatch(/^\S+ hello from test-vk-/m);
  expect(stdout).toMatch(/^Policy: +auto, from label virtual-kubelet\.io\/burst-to-cci$/m);

  expect(stdout).toMatch(/^test-vk-\S+ +\d+m +\d+Mi/m);
  expect(stdout).toMatch(/^virtual-kubelet +\d+m +\d+% +\d+Mi/m);

  const [, local, burst] = /Before: (\d+) pods on node-1, (\d+) pods on virtual-kubelet\./.exec(stdout) ?? [];
  expect(Number(local) + Number(burst)).toBe(20);
  expect(stdout).toContain(`After:  ${local} pods on node-1, ${8 - Number(local)} pods on virtual-kubelet.`);

  expect(stdout).toMatch(/^a report by report-/m);
  expect(stdout).toMatch(/^Name:\s+kubernetes\.default\.svc\.cluster\.local$/m);
  expect(stdout).toMatch(/ Started +\S+ +cci +.*container-0/);
  expect(stdout).toMatch(/^\$ kubectl exec frontend .*\nthe backend, on node virtual-kubelet$/m);
  expect(stdout).toMatch(/^\$ kubectl exec backend .*\nthe frontend, on node node-1$/m);
  expect(stdout).toContain(`The region's meter: 0 running, ${Number(burst) + 2} pods billed for`);

  const [, uninstalled = ''] = stdout.split('$ spillway uninstall ');
  expect(uninstalled).not.toContain('Remains');
  expect(uninstalled).toMatch(/^Nothing of cluster \S+ is left\.$/m);
  expect(uninstalled).toMatch(/^node-1 +Ready /m);
  expect(uninstalled).not.toMatch(/^virtual-kubelet /m);
  expect(uninstalled).toContain("The region's meter: 0 running. Its only namespaces");
  expect(stdout.trim().split('\n').at(-1)).toMatch(/is gone\.$/);
  const left = (await statusOfClusters()).map(({ name }) => name).filter((name) => name.startsWith('demo-test'));
  expect(left).toEqual([]);
});
