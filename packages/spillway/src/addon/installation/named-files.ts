import type { Config, PoolConfig } from '../../config/config.ts';

/** A file, or a folder of files, that a configuration names. */
export interface NamedFile {
  /** In the configuration. */
  readonly path: readonly PropertyKey[];
  readonly file: string;
  /** A kubeconfig, which may name other files. */
  readonly isKubeconfig?: true;
}

/** What the pods have to find besides the configuration. */
export function namedFiles({ admission: { clientCAFile }, pools }: Config): readonly NamedFile[] {
  return [
    ...named(['admission', 'clientCAFile'], clientCAFile),
    ...pools.flatMap((pool, index) => ofPool(pool, index)),
  ];
}

function ofPool({ servingCertificate: { files }, backend }: PoolConfig, index: number): readonly NamedFile[] {
  const at = ['pools', index];
  const certificates = [
    ...named([...at, 'servingCertificate', 'files', 'cert'], files?.cert),
    ...named([...at, 'servingCertificate', 'files', 'key'], files?.key),
  ];
  switch (backend.type) {
    case 'cci':
      return [
        ...certificates,
        ...named([...at, 'backend', 'credentials', 'file'], backend.credentials.file),
        ...named([...at, 'backend', 'ca'], backend.ca),
      ];
    case 'kubernetes':
      return [
        ...certificates,
        { path: [...at, 'backend', 'kubeconfig'], file: backend.kubeconfig, isKubeconfig: true },
      ];
    default: {
      const { scenario } = backend;
      return [
        ...certificates,
        ...named([...at, 'backend', 'scenario'], typeof scenario === 'string' ? scenario : undefined),
      ];
    }
  }
}

const named = (path: readonly PropertyKey[], file: string | undefined): readonly NamedFile[] =>
  file === undefined ? [] : [{ path, file }];
