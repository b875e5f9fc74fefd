import type { Container, EnvFromSource, EnvVar } from '@spillway/kube';
import { fieldTravels } from '../../../podspec/travelling.ts';
import type { EnvPart } from '../../../podspec/env.ts';
import type { Workload } from '../../backend.ts';
import type { CopyNames } from '../copies/copies.ts';
import type { Dialect } from '../dialect.ts';

const apiServer = 'KUBERNETES_';
const apiServerAddress = ['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT'] as const;

/**
 * Variables of a container in the other cluster. What they refer to is shown by reference; what only the pod's own cluster
 * knows is written out: its Services first, so that `$(VAR)` sees them, and the metadata that would be the copy's.
 */
export function environmentOf(
  container: Container,
  workload: Workload,
  copies: CopyNames,
  { clusterServices, support }: Pick<Dialect, 'clusterServices' | 'support'>,
): { readonly env: EnvVar[]; readonly envFrom?: EnvFromSource[] } {
  const resolved = new Map(
    workload.environment.get(container.name)?.map(({ name, value }) => [name, literal(value)] as const),
  );
  const written = new Set([...namesOf(container), ...importedBy(container, workload)]);
  const services = new Map([...resolved].filter(([name]) => !written.has(name)));
  for (const name of apiServerAddress) if (!written.has(name)) services.set(name, services.get(name) ?? '');
  const told = ([name, value]: readonly [string, string]): EnvVar => ({
    name,
    value: clusterServices || workload.clusterServices === true || !name.startsWith(apiServer) ? value : '',
  });
  const { env = [], envFrom } = container;
  return {
    env: [...Array.from(services, told), ...env.map((each) => variableOf(each, { resolved, copies, support }))],
    ...(envFrom && { envFrom: envFrom.map((each) => importOf(each, copies)) }),
  };
}

interface Known extends Pick<Dialect, 'support'> {
  readonly resolved: ReadonlyMap<string, string>;
  readonly copies: CopyNames;
}

function variableOf(variable: EnvVar, { resolved, copies, support }: Known): EnvVar {
  const { name, value, valueFrom } = variable;
  const { configMapKeyRef, secretKeyRef, fieldRef } = valueFrom ?? {};
  if (value || !valueFrom) return { name, value: value ?? '' };
  if (configMapKeyRef) {
    return {
      name,
      valueFrom: { configMapKeyRef: { ...configMapKeyRef, name: copies.configMap(configMapKeyRef.name ?? '') } },
    };
  }
  if (secretKeyRef) {
    return { name, valueFrom: { secretKeyRef: { ...secretKeyRef, name: copies.secret(secretKeyRef.name ?? '') } } };
  }
  if (fieldRef && fieldTravels(fieldRef.fieldPath, support.annotations)) return { name, valueFrom: { fieldRef } };
  return { name, value: resolved.get(name) ?? '' };
}

function importOf({ prefix, configMapRef, secretRef }: EnvFromSource, copies: CopyNames): EnvFromSource {
  return {
    ...(prefix !== undefined && { prefix }),
    ...(configMapRef && { configMapRef: { ...configMapRef, name: copies.configMap(configMapRef.name ?? '') } }),
    ...(secretRef && { secretRef: { ...secretRef, name: copies.secret(secretRef.name ?? '') } }),
  };
}

function namesOf({ env = [] }: Container): string[] {
  return env.map(({ name }) => name);
}

function importedBy({ envFrom = [] }: Container, { objects }: Workload): string[] {
  return envFrom.flatMap(({ prefix = '', configMapRef, secretRef }) => {
    const source = configMapRef
      ? objects.configMaps.get(configMapRef.name ?? '')
      : objects.secrets.get(secretRef?.name ?? '');
    return Object.keys(source?.data ?? {}).map((key) => prefix + key);
  });
}

/** A `$` in it is a dollar sign, and not the start of a reference. */
function literal(value: readonly EnvPart[]): string {
  return value
    .map((part) => (typeof part === 'string' ? part : ''))
    .join('')
    .replaceAll('$', '$$$$');
}
