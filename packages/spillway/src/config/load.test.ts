import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fields, lastSegment } from './fields.ts';
import { ConfigError, loadConfig, parseConfig } from './load.ts';

const minimal = `
pools:
  - name: burst
    nodeName: virtual-kubelet
    backend: {type: simulated}
`;

function refusal(text: string): readonly string[] {
  try {
    parseConfig(text, 'spillway.yaml');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
  return [];
}

function problemsOf(text: string): readonly string[] {
  const problems = refusal(text);
  if (problems.length === 0) throw new Error('the configuration was accepted');
  return problems;
}

const inBraces = (pairs: readonly (readonly [string, string])[]): string =>
  `{${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')}}`;

const taintsOf = (text: string): unknown =>
  parseConfig(`${minimal}    taints: ${text}\n`, 'spillway.yaml').pools[0]?.taints;

describe('a configuration file', () => {
  it('gets its defaults', () => {
    expect(parseConfig(minimal, 'spillway.yaml')).toEqual({
      name: 'spillway',
      kubernetes: {},
      placement: { enabled: true, overflowDelaySeconds: 0, soldOutPatienceSeconds: 30 },
      leaderElection: {
        enabled: false,
        namespace: 'spillway-system',
        leaseName: 'spillway',
        leaseDurationSeconds: 10,
        renewDeadlineSeconds: 7,
        retryPeriodSeconds: 2,
      },
      admission: {
        enabled: false,
        carrier: 'auto',
        port: 9443,
        namespace: 'spillway-system',
        serviceName: 'spillway-admission',
      },
      ledger: {},
      observability: { logLevel: 'info' },
      link: { port: 10_270, servers: [], namespace: 'spillway-system' },
      pools: [
        {
          name: 'burst',
          nodeName: 'virtual-kubelet',
          labels: {},
          taints: [
            { key: 'virtual-kubelet.io/burst-to-cci', value: 'cci', effect: 'NoSchedule' },
            { key: 'virtual-kubelet.io/huawei', effect: 'PreferNoSchedule' },
          ],
          capacity: {},
          kubeletPort: 10250,
          servingCertificate: { csr: { approve: false } },
          dns: { clusterDNS: [], clusterDomain: 'cluster.local' },
          interconnect: 'off',
          ping: { intervalSeconds: 10, timeoutSeconds: 5 },
          sweep: { graceSeconds: 30, maxFraction: 0.5, suspicionSeconds: 600 },
          keepEndedSeconds: 86_400,
          metrics: { intervalSeconds: 10 },
          daemonSets: 'placeholder',
          sizing: 'none',
          backend: { type: 'simulated', startDelayMs: 300, stopDelayMs: 100, podCidr: '10.246.0.0/16' },
        },
      ],
    });
  });

  it('names its leases and its webhooks as the installation, unless it says otherwise', () => {
    const second = parseConfig(`name: second\n${minimal}`, 'spillway.yaml');
    expect(second).toMatchObject({
      name: 'second',
      leaderElection: { leaseName: 'second' },
      admission: { serviceName: 'second-admission' },
    });
    const own = parseConfig(`name: second\nleaderElection: {leaseName: own}\n${minimal}`, 'spillway.yaml');
    expect(own.leaderElection.leaseName).toBe('own');
  });

  it('may have no taints, others, and not the one that comes and goes by itself', () => {
    expect(taintsOf('[]')).toEqual([]);
    const team = { key: 'example.com/team', value: 'a', effect: 'NoExecute' };
    expect(taintsOf(JSON.stringify([team]))).toEqual([team]);
    expect(() => taintsOf('[{key: bursting.cci.io/no-schedule, effect: NoSchedule}]')).toThrow(
      /is the taint that Spillway itself sets/,
    );
    expect(() => taintsOf('[{key: a b, effect: NoSchedule}]')).toThrow(/qualified name/);
  });

  it('may write quantities as plain numbers', () => {
    const config = parseConfig(`${minimal}    capacity: {cpu: 4, memory: 64Gi, pods: 200k}\n`, 'spillway.yaml');
    expect(config.pools[0]?.capacity).toEqual({ cpu: '4', memory: '64Gi', pods: '200k' });
  });

  it('that gives pods agents says where their image is, and has a backend that runs containers', () => {
    const backend = '    backend: {type: kubernetes, kubeconfig: /k, namespace: burst}\n';
    const pool = (interconnect: string, of = backend): string =>
      `pools:\n  - name: burst\n    nodeName: v\n    interconnect: ${interconnect}\n${of}`;
    const link = 'link: {image: agent:1}\n';
    expect(problemsOf(pool('agent'))).toEqual([
      expect.stringContaining('agent needs the image of the agent: set link.image'),
    ]);
    expect(problemsOf(`${pool('agent', '    backend: {type: simulated}\n')}${link}`)).toEqual([
      expect.stringContaining('agent needs a backend that runs containers'),
    ]);
    expect(parseConfig(`${pool('agent')}${link}`, 'a.yaml').pools[0]?.interconnect).toBe('agent');
    expect(parseConfig(pool('route'), 'a.yaml').pools[0]?.interconnect).toBe('route');
    expect(problemsOf(`${pool('off')}link: {servers: [10.0.0.1]}\n`)).toEqual([
      expect.stringContaining('must be HOST:PORT'),
    ]);
  });

  it('that names an unknown field says where, which one was probably meant, and not also that it is missing', () => {
    expect(problemsOf('pools:\n  - name: burst\n    nodeNam: x\n    backend: {type: simulated}\n')).toEqual([
      'spillway.yaml:3:5: pools[0]: unknown field "nodeNam"; did you mean "nodeName"? (known here: name, nodeName, labels, taints, capacity, address, kubeletPort, servingCertificate, dns, interconnect, ping, sweep, keepEndedSeconds, deadMan, metrics, daemonSets, sizing, backend)',
    ]);
  });

  it.each([
    [
      'observability: {logLevel: trace}',
      /:6:27: observability\.logLevel: must be one of: debug, info, warn, error, but is "trace"$/,
    ],
    ['    kubeletPort: 99999', /:6:18: pools\[0\]\.kubeletPort: must be a whole number from 1 to 65535, but is 99999$/],
    ['    kubeletPort: "10250"', /pools\[0\]\.kubeletPort: must be a whole number from 1 to 65535, but is "10250"$/],
    ['    address: localhost', /pools\[0\]\.address: must be an IP address, but is "localhost"$/],
    [
      '    capacity: {cpu: 4cores}',
      /:6:21: pools\[0\]\.capacity\.cpu: must be a Kubernetes quantity .*, but is "4cores"$/,
    ],
    ['    servingCertificate: {}', /pools\[0\]\.servingCertificate: needs exactly one of: csr, files$/],
    ['    servingCertificate: {files: {cert: a}}', /servingCertificate\.files\.key: is required: text$/],
    ['    ping: {intervalSeconds: 2}', /ping\.timeoutSeconds: must not be longer than ping\.intervalSeconds \(2\)$/],
    ['clusterId: "a b"', /:6:12: clusterId: must be usable as a label value, but is "a b"$/],
    ['kubernetes: 7', /:6:13: kubernetes: must be a section, but is 7$/],
  ])('with %j says what is allowed', (line, expected) => {
    const problems = problemsOf(`${minimal}${line}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  it('names the backends that exist', () => {
    expect(problemsOf('pools: [{name: a, nodeName: a, backend: {type: crio}}]')).toEqual([
      'spillway.yaml:1:48: pools[0].backend.type: must be one of: cci, kubernetes, simulated, but is "crio"',
    ]);
  });

  it('may be one that was written for the first version', () => {
    const first = `
kubernetes: {kubeconfig: /etc/spillway/kubeconfig}
observability: {logLevel: info}
pools:
  - name: local
    nodeName: virtual-kubelet
    labels: {topology.kubernetes.io/zone: a}
    capacity: {cpu: 16, memory: 64Gi, pods: 200}
    address: 10.0.0.1
    kubeletPort: 10250
    servingCertificate: {csr: {approve: true}}
    dns: {clusterDNS: [10.96.0.10], clusterDomain: cluster.local}
    ping: {intervalSeconds: 10, timeoutSeconds: 5}
    backend: {type: simulated, startDelayMs: 300}
`;
    expect(parseConfig(first, 'spillway.yaml').pools).toMatchObject([{ name: 'local', capacity: { pods: '200' } }]);
  });

  it('says what to use in place of a backend that there was once', () => {
    const former = 'pools: [{name: a, nodeName: a, backend: {type: cri, socket: /run/containerd.sock}}]';
    expect(problemsOf(former)).toEqual([
      expect.stringMatching(
        /^spillway\.yaml:1:48: pools\[0\]\.backend\.type: the backend "cri".* use kubernetes,.* or simulated /,
      ),
    ]);
  });

  it.each([
    ['name', 'name: a', 'nodeName: x, kubeletPort: 1', 'nodeName: y, kubeletPort: 2'],
    ['nodeName', 'nodeName: a', 'name: x, kubeletPort: 1', 'name: y, kubeletPort: 2'],
    ['kubeletPort', 'kubeletPort: 1', 'name: x, nodeName: x', 'name: y, nodeName: y'],
  ])('with two pools of the same %s is refused', (field, same, first, second) => {
    const pool = (rest: string): string => `  - {${same}, ${rest}, backend: {type: simulated}}\n`;
    const problems = problemsOf(`pools:\n${pool(first)}${pool(second)}`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`pools[1].${field}: `);
    expect(problems[0]).toContain('already used by pools[0]');
  });

  it.each(['', 'pools: []', 'just text', 'pools: [', 'a: 1\na: 2', '- 1', '? [a]\n: b'])(
    'that is no configuration (%j) is refused with a position',
    (text) => {
      for (const problem of problemsOf(text)) expect(problem).toMatch(/^spillway\.yaml:\d+:\d+: /);
    },
  );

  it.each([
    ['', '1:1: is empty: "spillway config explain" says what belongs into it'],
    ['just text', '1:1: must be a section, but is "just text"'],
    ['pools:', '1:7: pools: must be a list of sections, but is empty'],
    ['pools: {a: 1}', '1:8: pools: must be a list of sections, but is a mapping'],
    ['pools: 1\n---\na: 2', '3:1: must be one YAML document: remove "---" and what follows it'],
    ['a: &a [*a]', '1:8: not valid YAML: the alias *a stands for something that contains it'],
  ])('that is %j is told in plain words', (text, expected) => {
    expect(problemsOf(text)).toContain(`spillway.yaml:${expected}`);
  });

  it.each([
    ['does not exist', '/nowhere/spillway.yaml', 'there is no such file'],
    ['is a directory', '/tmp', 'it is a directory'],
    ['is a program', process.execPath, 'it is not a text file in UTF-8'],
  ])('that %s is named', async (_, file, why) => {
    await expect(loadConfig(file)).rejects.toThrow(`${file}: cannot read the configuration: ${why}`);
  });

  it('of any kind is a configuration, or refused with places and in plain words', () => {
    const keys = fields().map(({ path }) => lastSegment(path).replace('[]', ''));
    const key = fc.oneof(fc.constantFrom(...keys), fc.constantFrom('__proto__', '<<', '? [a]', '*a', '!!set'));
    const scalar = fc.constantFrom(
      '',
      'null',
      '1',
      '-1.5',
      '.nan',
      'true',
      'a',
      '"*"',
      '*a',
      '*b',
      '&a 1',
      '!!binary x',
      '!t y',
      '2026-01-01',
    );
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        scalar,
        fc.array(tie('tree'), { maxLength: 4 }).map((items) => `[${items.join(', ')}]`),
        fc.array(fc.tuple(key, tie('tree')), { maxLength: 4 }).map(inBraces),
        fc.array(fc.tuple(key, tie('tree')), { maxLength: 4 }).map((pairs) => `&b ${inBraces(pairs)}`),
      ),
    }));
    fc.assert(
      fc.property(fc.oneof(tree, fc.string({ unit: 'binary' }), fc.string()), (text) => {
        for (const each of refusal(text)) {
          expect(each).toMatch(/^spillway\.yaml:[1-9]\d*:[1-9]\d*: /);
          expect(each).not.toMatch(/Invalid input|expected .* received|undefined|\[object/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function withScenario(scenario: string): string {
  return `pools:\n  - name: a\n    nodeName: a\n    backend: {type: simulated, scenario: ${scenario}}\n`;
}

describe('a scenario', () => {
  it('stands in the configuration, or in a file of its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spillway-config-'));
    try {
      const [file, scenario] = [join(folder, 'spillway.yaml'), join(folder, 'scenario.yaml')];
      await writeFile(scenario, 'seed: 7\nfaults:\n  - {on: create, fails: soldOut, chance: 0.5}\n');
      await writeFile(file, withScenario(scenario));
      const expected = { seed: 7, faults: [{ on: 'create', fails: 'soldOut', chance: 0.5 }], latency: {} };
      expect((await loadConfig(file)).pools[0]?.backend).toMatchObject({ scenario: expected });
      const inline = withScenario('{seed: 7, faults: [{on: create, fails: soldOut, chance: 0.5}]}');
      expect(parseConfig(inline, file).pools[0]?.backend).toMatchObject({ scenario: expected });
      await writeFile(scenario, 'faults:\n  - {on: create, fails: never}\n');
      await expect(loadConfig(file)).rejects.toThrow(`${scenario}:2:`);
      await rm(scenario);
      await expect(loadConfig(file)).rejects.toThrow(`${scenario}: cannot read the scenario: there is no such file`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
