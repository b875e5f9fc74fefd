import { errorMessage, loadKubeconfig, readText } from '@spillway/kube';
import { BackendError } from '../backends/backend.ts';
import { readAuthority } from '../backends/cci/authority-file.ts';
import { fileLogin } from '../backends/cci/credentials/login-source.ts';
import type { Config, PoolConfig } from '../config/config.ts';
import { loadPlacedConfig } from '../config/load.ts';
import type { Problem } from '../config/problems.ts';
import { regionProblem } from '../config/regions.ts';
import { sentences } from '../podspec/words.ts';

/** Something outside of the configuration that it names. */
interface Named {
  readonly path: readonly PropertyKey[];
  /** @throws what is wrong with it */
  readonly check: () => Promise<unknown>;
}

/** A configuration with all that it names: its files can be read, and its regions are known. @throws ConfigError */
export async function checkConfig(file: string): Promise<Config> {
  const { config, errorOf } = await loadPlacedConfig(file);
  const named = [...ofCluster(config), ...config.pools.flatMap((pool, index) => ofPool(pool, ['pools', index]))];
  const problems = (await Promise.all(named.map(problemOf))).flat();
  if (problems.length > 0) throw errorOf(problems);
  return config;
}

async function problemOf({ path, check }: Named): Promise<readonly Problem[]> {
  try {
    await check();
    return [];
  } catch (error) {
    return [
      { path, message: sentences(errorMessage(error), error instanceof BackendError ? error.remedy : undefined) },
    ];
  }
}

function ofCluster({ kubernetes: { kubeconfig, context }, admission: { clientCAFile } }: Config): readonly Named[] {
  return [
    ...(kubeconfig === undefined ? [] : [credentials(['kubernetes', 'kubeconfig'], kubeconfig, context)]),
    ...(clientCAFile === undefined ? [] : [textFile(['admission', 'clientCAFile'], clientCAFile)]),
  ];
}

function ofPool({ servingCertificate, backend }: PoolConfig, pool: readonly PropertyKey[]): readonly Named[] {
  const at = [...pool, 'backend'];
  const certificate = Object.entries(servingCertificate.files ?? {}).map(([part, file]) =>
    textFile([...pool, 'servingCertificate', 'files', part], file),
  );
  switch (backend.type) {
    case 'cci': {
      const { region, endpoint, iamEndpoint, ca, credentials: login } = backend;
      const isFound = endpoint !== undefined && iamEndpoint !== undefined;
      return [
        ...certificate,
        ...(isFound ? [] : [{ path: [...at, 'region'], check: () => knownRegion(region) }]),
        ...(ca === undefined ? [] : [{ path: [...at, 'ca'], check: () => readAuthority(ca) }]),
        ...(login.file === undefined ? [] : [loginFile([...at, 'credentials', 'file'], login.file)]),
      ];
    }
    case 'kubernetes':
      return [...certificate, credentials([...at, 'kubeconfig'], backend.kubeconfig, backend.context)];
    default:
      return certificate;
  }
}

const credentials = (path: readonly PropertyKey[], kubeconfig: string, context: string | undefined): Named => ({
  path,
  check: () => loadKubeconfig({ paths: [kubeconfig], context }),
});

const loginFile = (path: readonly PropertyKey[], file: string): Named => ({
  path,
  check: () => fileLogin(file).read(),
});

const textFile = (path: readonly PropertyKey[], file: string): Named => ({
  path,
  check: () =>
    readText(file).catch((cause: unknown) => {
      throw new Error(`cannot read ${file}: ${errorMessage(cause)}`, { cause });
    }),
});

async function knownRegion(region: string): Promise<void> {
  const problem = regionProblem(region);
  if (problem !== undefined) throw new Error(problem);
}
