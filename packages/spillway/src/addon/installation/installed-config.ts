import type { Config } from '../../config/config.ts';
import type { Problem } from '../../config/problems.ts';

/** What pods can write, and the only folder of it that may outlive them. */
export const stateFolder = '/var/lib/spillway';
export const configFile = '/etc/spillway/config.yaml';

type Values = Readonly<Record<string, unknown>>;

/** Sections of a configuration that have other defaults in a cluster: replicas hand over, probes are answered, webhooks are served. */
const defaultsIn = (namespace: string): Readonly<Record<string, Values>> => ({
  leaderElection: { enabled: true, namespace },
  admission: { enabled: true, namespace },
  link: { namespace },
  observability: { healthPort: 8081 },
});

/** The configuration of the pods. @param written as the user wrote it, which wins */
export function installedConfig(written: Values, namespace: string): Values {
  const sections = Object.entries(defaultsIn(namespace)).map(([section, defaults]) => {
    const own = written[section] ?? {};
    return [section, typeof own === 'object' ? { ...defaults, ...own } : own] as const;
  });
  return { ...written, ...Object.fromEntries(sections) };
}

/** What an installation in this namespace has, whatever the file says that it was made from. */
export function asInstalled(config: Config, namespace: string): Config {
  const { leaderElection, admission, link } = config;
  return {
    ...config,
    leaderElection: { ...leaderElection, enabled: true, namespace },
    admission: { ...admission, namespace },
    link: { ...link, namespace },
  };
}

/** Why this configuration does not work in the pods of a Deployment. @param config with the defaults of `installedConfig` */
export function installationProblems(config: Config, namespace: string, replicas: number): readonly Problem[] {
  const { kubernetes, leaderElection, admission, link, ledger, pools } = config;
  const named = Object.entries(kubernetes).flatMap(([field, value]) =>
    value === undefined
      ? []
      : [
          problem(
            ['kubernetes', field],
            'in the cluster, Spillway is the ServiceAccount of its pods: remove this, and give it to the command instead',
          ),
        ],
  );
  const elsewhere = Object.entries({ leaderElection, admission, link }).flatMap(([section, { namespace: of }]) =>
    of === namespace
      ? []
      : [problem([section, 'namespace'], `must be the namespace of the installation, ${namespace}: remove it`)],
  );
  const election = leaderElection.enabled
    ? []
    : [
        problem(
          ['leaderElection', 'enabled'],
          replicas > 1
            ? `${replicas} replicas need it: remove it`
            : 'the pods of an upgrade hand over by it: remove it',
        ),
      ];
  return [
    ...named,
    ...elsewhere,
    ...election,
    ...pools.flatMap(poolProblems),
    ...(ledger.directory === undefined ? [] : writableProblem(['ledger', 'directory'], ledger.directory)),
    ...portProblems(config),
  ];
}

function poolProblems({ address, backend }: Config['pools'][number], index: number): Problem[] {
  const at = ['pools', index];
  return [
    ...(address === undefined
      ? []
      : [
          problem(
            [...at, 'address'],
            'the address is that of the pod that serves the pool, which changes: remove this',
          ),
        ]),
    ...(backend.type === 'cci' && backend.credentials.file === undefined
      ? [
          problem(
            [...at, 'backend', 'credentials', 'file'],
            'is required in a cluster: pods do not have your environment',
          ),
        ]
      : []),
    ...(backend.type === 'simulated' && backend.stateFile !== undefined
      ? writableProblem([...at, 'backend', 'stateFile'], backend.stateFile)
      : []),
  ];
}

function writableProblem(path: readonly PropertyKey[], file: string): Problem[] {
  return file === stateFolder || file.startsWith(`${stateFolder}/`)
    ? []
    : [problem(path, `must be in ${stateFolder}: pods can write nowhere else`)];
}

function portProblems({ observability, admission, link, pools }: Config): Problem[] {
  const ports: readonly (readonly [readonly PropertyKey[], number | undefined])[] = [
    [['observability', 'healthPort'], observability.healthPort],
    [['admission', 'port'], admission.enabled ? admission.port : undefined],
    [['link', 'port'], link.image === undefined ? undefined : link.port],
    ...pools.map(({ kubeletPort }, index) => [['pools', index, 'kubeletPort'], kubeletPort] as const),
  ];
  const first = new Set<number>();
  return ports.flatMap(([path, port]) => {
    if (port === undefined) return [];
    const isTaken = first.has(port);
    first.add(port);
    return isTaken ? [problem(path, `${port} is already the port of something else in the same pod`)] : [];
  });
}

const problem = (path: readonly PropertyKey[], message: string): Problem => ({ path, message });
