import { expect, test } from 'vitest';
import type { Environment } from '../environment.ts';
import { inspectHost } from './report.ts';

const linux: Environment = {
  clustersDir: '/c',
  cacheDir: '/cache',
  assetsDir: undefined,
  kubernetesVersion: undefined,
  uid: 0,
  platform: 'linux',
  arch: 'x64',
};

test('root with all packages can have everything', () => {
  expect(inspectHost(linux, () => true)).toEqual({ namespaces: true, containers: true, problems: [] });
});

test('without root there is a control plane only, and the report says how to change that', () => {
  const report = inspectHost({ ...linux, uid: 1000 }, () => true);
  expect(report).toMatchObject({ namespaces: false, containers: false });
  expect(report.problems.join()).toContain('sudo');
});

test('missing packages are named with the command that installs them; namespaces need iproute2 only', () => {
  const report = inspectHost(linux, (path) => !/containerd|bash/.test(path));
  expect(report).toMatchObject({ namespaces: true, containers: false });
  expect(report.problems.join()).toContain('apt-get install containerd bash-static');
});

test('a dynamically linked busybox does not count: it would not start in an image', () => {
  const report = inspectHost(linux, (path, asStatic) => !(asStatic && path.includes('busybox')));
  expect(report.problems.join()).toContain('busybox-static');
});

test('other systems have nothing of it', () => {
  expect(inspectHost({ ...linux, platform: 'darwin' }, () => true)).toMatchObject({
    namespaces: false,
    containers: false,
  });
});
