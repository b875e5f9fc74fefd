import { accessSync, closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import type { Environment } from '../environment.ts';
import { DevClusterError } from '../errors.ts';
import { parseJson } from '../json.ts';

/** What this machine lets a cluster have. */
export interface HostReport {
  /** A network namespace of its own per cluster: needs Linux, root and iproute2. */
  readonly namespaces: boolean;
  /** A real node: needs all of the above and the container tools. */
  readonly containers: boolean;
  /** Why not, and what to do about it; empty when everything is there. */
  readonly problems: readonly string[];
}

interface HostPackage {
  readonly package: string;
  readonly anyOf: readonly string[];
  /** Only a statically linked program will do: it goes into images alone. */
  readonly static?: boolean;
}

const hostPackages = parseJson<readonly HostPackage[]>(
  readFileSync(new URL('../../host-packages.json', import.meta.url), 'utf8'),
);

export function inspectHost(
  environment: Environment,
  usable: (path: string, asStatic: boolean) => boolean = isUsable,
): HostReport {
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
  const missing = hostPackages
    .filter((wanted) => firstUsable(wanted, usable) === undefined)
    .map((wanted) => wanted.package);
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
  const path = wanted && firstUsable(wanted, isUsable);
  if (path === undefined) throw new DevClusterError('host', `${packageName} is not installed: install it`);
  return path;
}

function firstUsable(wanted: HostPackage, usable: (path: string, asStatic: boolean) => boolean): string | undefined {
  return wanted.anyOf.find((path) => usable(path, wanted.static ?? false));
}

function isUsable(path: string, asStatic: boolean): boolean {
  try {
    accessSync(path, constants.X_OK);
    return !asStatic || isStatic(path);
  } catch {
    return false;
  }
}

/** A dynamically linked program names its loader in its first bytes. */
function isStatic(path: string): boolean {
  const start = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  try {
    readSync(file, start, 0, start.length, 0);
  } finally {
    closeSync(file);
  }
  return !start.includes('/ld-');
}
