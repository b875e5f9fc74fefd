import { accessSync, constants, readFileSync } from 'node:fs';
import type { Environment } from '../environment.ts';
import { parseJson } from '../json.ts';

/** What this machine lets a cluster have. */
export interface HostReport {
  /** A network namespace of its own per cluster: needs Linux, root and iproute2. */
  readonly namespaces: boolean;
  /** A real node and pools: needs all of the above and the container tools. */
  readonly containers: boolean;
  /** Why not, and what to do about it; empty when everything is there. */
  readonly problems: readonly string[];
}

interface HostPackage {
  readonly package: string;
  readonly anyOf: readonly string[];
}

const hostPackages = parseJson<readonly HostPackage[]>(
  readFileSync(new URL('../../host-packages.json', import.meta.url), 'utf8'),
);

export function inspectHost(environment: Environment, exists: (path: string) => boolean = executable): HostReport {
  if (environment.platform !== 'linux') {
    return {
      namespaces: false,
      containers: false,
      problems: [
        `${environment.platform} has no network namespaces or cgroups: use Linux, for example in a virtual machine`,
      ],
    };
  }
  const problems: string[] = [];
  const root = environment.uid === 0;
  if (!root) problems.push('not root: run it with sudo to get containers');
  const missing = hostPackages.filter((wanted) => !wanted.anyOf.some(exists)).map((wanted) => wanted.package);
  if (missing.length > 0) {
    problems.push(`missing: ${missing.join(', ')}; on Debian or Ubuntu: apt-get install ${missing.join(' ')}`);
  }
  return {
    namespaces: root && !missing.includes('iproute2'),
    containers: root && missing.length === 0,
    problems,
  };
}

/** The path of a program of one of the system's packages. */
export function hostProgram(packageName: string): string {
  const wanted = hostPackages.find((candidate) => candidate.package === packageName);
  const path = wanted?.anyOf.find(executable);
  if (path === undefined) throw new Error(`${packageName} is not installed`);
  return path;
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
