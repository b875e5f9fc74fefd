import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kubernetesVersions, oldestKubernetesVersion } from '../kubernetes-version.ts';
import { binary, olderKubectls } from './catalogue.ts';
import { defaultToolsDir } from './resolve.ts';

const pinnedBy = (module = ''): Promise<string> => readFile(join(defaultToolsDir, module, 'go.mod'), 'utf8');

test.each(kubernetesVersions)(
  'Kubernetes %s is built from the modules that are pinned for it, and says its own version',
  async (version) => {
    const { module, ldflags } = binary('kube-apiserver', version);
    const pinned = await readFile(join(defaultToolsDir, module, 'go.mod'), 'utf8');
    expect(pinned).toContain(`k8s.io/kubernetes v${version} `);
    expect(pinned).toContain(`k8s.io/api => k8s.io/api v${version.replace('1.', '0.')}\n`);
    expect(ldflags).toContain(`gitVersion=v${version} `);
  },
);

test('what is not of Kubernetes is the same for every version', () => {
  for (const name of ['etcd', 'registry', 'agnhost'] as const) {
    expect(binary(name, oldestKubernetesVersion)).toBe(binary(name));
  }
});

test('older versions of kubectl are built from the modules that are pinned for them, and say their own version', async () => {
  const [first, second] = olderKubectls.map((name) => binary(name));
  expect(await pinnedBy(first?.module)).toContain(`k8s.io/kubernetes v${first?.version} `);
  expect(await pinnedBy(second?.module)).toContain(`k8s.io/kubectl v${second?.version.replace('1.', '0.')}\n`);
  for (const each of [first, second]) expect(each?.ldflags).toContain(`gitVersion=v${each?.version} `);
});

test('the tests of Kubernetes are those of the version that clusters run', async () => {
  const { module, version, ldflags } = binary('e2e.test');
  const pinned = await readFile(join(defaultToolsDir, module, 'go.mod'), 'utf8');
  expect(pinned).toContain(`k8s.io/kubernetes v${version} `);
  expect(version).toBe(binary('kubelet').version);
  expect(ldflags).toContain(`gitVersion=v${version} `);
  expect(pinned).toContain(`github.com/onsi/ginkgo/v2 v${binary('ginkgo').version} `);
});
