import { expect, test } from 'vitest';
import { Progress, type TestEnd } from './progress.ts';

function read(text: string): TestEnd[] {
  const progress = new Progress();
  return text.split('\n').flatMap((line) => progress.read(line) ?? []);
}

test('a test is told when it ends, as ginkgo prints it', () => {
  const printed = `------------------------------
[SynchronizedBeforeSuite] PASSED [0.911 seconds]
[SynchronizedBeforeSuite] 
k8s.io/kubernetes@v1.37.2/test/e2e/e2e.go:69
------------------------------
• [8.245 seconds]
[sig-storage] EmptyDir volumes should support (root,0644,tmpfs) [LinuxOnly] [Conformance] [NodeConformance] [sig-storage, NodeConformance, Conformance]
k8s.io/kubernetes@v1.37.2/test/e2e/common/storage/empty_dir.go:102
------------------------------
• [FAILED] [300.1 seconds]
[sig-auth] ServiceAccounts [It] should mount an API token into pods [Conformance] [sig-auth, Conformance]
`;
  expect(read(printed)).toEqual([
    {
      name: '[sig-storage] EmptyDir volumes should support (root,0644,tmpfs) [LinuxOnly]',
      outcome: 'passed',
      seconds: 8.245,
    },
    { name: '[sig-auth] ServiceAccounts [It] should mount an API token into pods', outcome: 'failed', seconds: 300.1 },
  ]);
});
