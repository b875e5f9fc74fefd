import { describe, expect, it } from 'vitest';
import { pathText } from '../../config/problems.ts';
import { configOf, namespace, simulatedPool } from '../testing/installations.ts';
import { installationProblems } from './installed-config.ts';

const problems = (written: string, replicas = 1): string[] =>
  installationProblems(configOf(written).config, namespace, replicas).map(
    ({ path, message }) => `${pathText(path)}: ${message}`,
  );
const pool = (fields: string, backend = '{type: simulated}'): string =>
  `pools:\n  - {name: a, nodeName: vk, ${fields} backend: ${backend}}\n`;
const cci = (fields: string): string =>
  `{type: cci, region: cn-north-4, projectId: p, domainId: d, vpcId: v, networkId: n, subnetId: s, securityGroupId: g, availableZone: z, ${fields}}`;

describe('the configuration of the pods', () => {
  it('hands over by leases, answers probes and serves webhooks, in the namespace of the installation', () => {
    const { config } = configOf(simulatedPool);
    expect(config.leaderElection).toMatchObject({ enabled: true, namespace });
    expect(config.admission).toMatchObject({ enabled: true, namespace });
    expect(config.observability.healthPort).toBe(8081);
    expect(problems(simulatedPool)).toEqual([]);
  });

  it('is otherwise as the user wrote it', () => {
    const { config } = configOf(
      `observability: {healthPort: 9000, logLevel: debug}\nadmission: {enabled: false}\n${simulatedPool}`,
    );
    expect(config.observability).toEqual({ healthPort: 9000, logLevel: 'debug' });
    expect(config.admission.enabled).toBe(false);
  });

  it('has no address, kubeconfig or login that only the machine of the user has', () => {
    expect(problems(`kubernetes: {kubeconfig: /home/me/.kube/config}\n${simulatedPool}`)).toEqual([
      expect.stringMatching(/^kubernetes.kubeconfig: .* ServiceAccount/),
    ]);
    expect(problems(pool('address: 10.0.0.1,'))).toEqual([expect.stringMatching(/^pools\[0\].address: .*changes/)]);
    expect(problems(pool('', cci('')))).toEqual([
      expect.stringMatching(/^pools\[0\].backend.credentials.file: is required in a cluster/),
    ]);
  });

  it('writes nowhere but where it can', () => {
    expect(problems(`ledger: {directory: /var/lib/spillway/ledger}\n${simulatedPool}`)).toEqual([]);
    expect(problems(`ledger: {directory: /data}\n${simulatedPool}`)).toEqual([
      'ledger.directory: must be in /var/lib/spillway: pods can write nowhere else',
    ]);
  });

  it('has a port for each that answers', () => {
    expect(problems(`observability: {healthPort: 10250}\n${simulatedPool}`)).toEqual([
      expect.stringMatching(/^pools\[0\].kubeletPort: 10250 is already/),
    ]);
  });

  it('does not turn off what upgrades and replicas need', () => {
    expect(problems(`leaderElection: {enabled: false}\n${simulatedPool}`, 2)).toEqual([
      'leaderElection.enabled: 2 replicas need it: remove it',
    ]);
  });
});
