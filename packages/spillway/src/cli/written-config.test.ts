import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { namedFiles } from '../addon/installation/named-files.ts';
import type { SecretMount } from '../addon/installation/secret-mounts.ts';
import { type InstallableConfig, installedConfigOf, readInstallable } from './written-config.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spillway-written-'));
});
afterAll(() => rm(folder, { recursive: true }));

const file = async (name: string, text: string): Promise<string> => {
  const written = path.join(folder, name);
  await mkdir(path.dirname(written), { recursive: true });
  await writeFile(written, text);
  return written;
};
const pool = (name: string, kubeconfig: string): object => ({
  name,
  nodeName: `vk-${name}`,
  kubeletPort: name === 'a' ? 10_250 : 10_251,
  backend: { type: 'kubernetes', kubeconfig },
});
const read = async (pools: readonly object[], mounts: readonly SecretMount[] = []): Promise<InstallableConfig> =>
  await readInstallable(await file('config.yaml', JSON.stringify({ pools })), {
    namespace: 'spillway-system',
    replicas: 1,
    mounts,
  });
const named = ({ config }: InstallableConfig): string[] => namedFiles(config).map((each) => each.file);
const texts = ({ files }: InstallableConfig): string[][] =>
  files.map((each) => [each.file, Buffer.from(each.content).toString()]);

it('files of this machine go along, each once, and the pods find them elsewhere', async () => {
  const one = await file('one/kubeconfig', 'clusters: []');
  const other = await file('other/kubeconfig', 'users: []');
  const installable = await read(
    [pool('a', one), pool('b', one), pool('c', other)].map((each, index) => ({ ...each, kubeletPort: 10_250 + index })),
  );
  expect(texts(installable)).toEqual([
    ['0-kubeconfig', 'clusters: []'],
    ['1-kubeconfig', 'users: []'],
  ]);
  const [first, second] = ['/etc/spillway/files/0-kubeconfig', '/etc/spillway/files/1-kubeconfig'];
  expect(named(installable)).toEqual([first, first, second]);
  expect(namedFiles(installable.here).map((each) => each.file)).toEqual([one, one, other]);
});

it('what a Secret of the user has is left alone, and need not be on this machine', async () => {
  const installable = await read([pool('a', '/secrets/kubeconfig')], [{ secret: 's', folder: '/secrets' }]);
  expect(installable.files).toEqual([]);
  expect(named(installable)).toEqual(['/secrets/kubeconfig']);
});

it('a file that is missing is said with its place, and how else the pods can get it', async () => {
  await expect(read([pool('a', '/nowhere/kubeconfig')])).rejects.toThrow(
    /config\.yaml:1:\d+: pools\[0\]\.backend\.kubeconfig: cannot be read.*--secret NAME=FOLDER/,
  );
});

it('a kubeconfig that needs other files is refused', async () => {
  const kubeconfig = await file('kubeconfig', 'clusters: [{cluster: {certificate-authority: /home/me/ca.pem}}]');
  await expect(read([pool('a', kubeconfig)])).rejects.toThrow(/certificate-authority.*--flatten/);
  const data = await file('kubeconfig', 'clusters: [{cluster: {certificate-authority-data: YQ==}}]');
  expect((await read([pool('a', data)])).files).toHaveLength(1);
});

const installed = (type: string): ReturnType<typeof installedConfigOf> =>
  installedConfigOf(
    JSON.stringify({ pools: [{ name: 'a', nodeName: 'vk', backend: { type } }] }),
    'spillway-system/spillway-config',
    'spillway-system',
  );

it('what another version has installed is used, or said with its place and what to use', () => {
  expect(installed('simulated')).toMatchObject({ installed: { config: { pools: [{ name: 'a' }] } } });
  expect(installed('cri')).toEqual({
    obstacle: expect.stringMatching(
      /\(ConfigMap spillway-system\/spillway-config\):\nconfig\.yaml:\d+:\d+: pools\[0\]\.backend\.type: the backend "cri".* use kubernetes/,
    ),
  });
});
