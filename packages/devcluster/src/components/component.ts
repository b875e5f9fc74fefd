import type { BinaryPaths } from '../binaries/resolve.ts';
import type { Ports } from '../network/ports.ts';
import type { ResolvedOptions } from '../options.ts';
import type { PkiPaths } from '../pki/cluster-pki.ts';
import type { ComponentName } from './names.ts';

/** How to see that a component does its work. */
export type Probe =
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly caFile?: string;
      readonly client?: { readonly certFile: string; readonly keyFile: string };
    }
  | { readonly kind: 'socket'; readonly path: string };

/** One supervised program: data from which it can be started at any time. */
export interface ComponentSpec {
  readonly name: ComponentName;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Started when these have become ready for the first time. */
  readonly after: readonly ComponentName[];
  /** Started when the cluster's first objects are there, too: it ends when it lacks its rights. */
  readonly afterObjects?: true;
  readonly ready: Probe;
  /** Written before the first start, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Made before the first start. */
  readonly folders?: readonly string[];
}

/** All that the components' command lines and files are made of. */
export interface ClusterFacts {
  readonly scope: string;
  readonly dir: string;
  readonly options: ResolvedOptions;
  readonly binaries: BinaryPaths;
  readonly ownNetwork: boolean;
  readonly nodeAddress: string;
  readonly ports: Ports;
  readonly pki: PkiPaths;
  readonly machine: Machine;
  readonly host: HostPrograms;
}

export interface Machine {
  readonly milliCpu: number;
  readonly memoryBytes: number;
}

/** Paths of what comes with the system; empty strings where no containers are asked for. */
export interface HostPrograms {
  readonly containerd: string;
  readonly runc: string;
  readonly cniDir: string;
  /** `native` where overlayfs cannot be used on the file system of the cluster's folder. */
  readonly snapshotter: 'overlayfs' | 'native';
}

export function programPath(facts: ClusterFacts, name: keyof BinaryPaths): string {
  const path = facts.binaries[name];
  if (path === undefined) throw new Error(`no path of ${name} was resolved`);
  return path;
}

export function serverUrl(facts: Pick<ClusterFacts, 'nodeAddress' | 'ports'>): string {
  return `https://${facts.nodeAddress}:${facts.ports.api}`;
}

/** Renders `--name=value` for each entry; an undefined value leaves the flag out. */
export function flags(values: Readonly<Record<string, string | number | boolean | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}

/** What the user adds to a component: feature gates, then flags, which come last and so win. */
export function userFlags(facts: ClusterFacts, name: ComponentName, gated: boolean): string[] {
  const gates = Object.entries(facts.options.featureGates).map(([gate, on]) => `${gate}=${on}`);
  return [
    ...(gated && gates.length > 0 ? [`--feature-gates=${gates.join(',')}`] : []),
    ...(facts.options.extraArgs[name] ?? []),
  ];
}
