import type { Container, EnvVar, EnvVarSource, Pod } from '@spillway/kube';
import { expand, expandParts } from './expansion.ts';
import { defaultLimits, type FieldValue, metadataField, resourceField } from './field-paths.ts';
import { type Lack, missingObjectNotice, objectNotFound } from './missing.ts';
import type { Notice } from './notice.ts';
import type { WorkloadFacts, WorkloadSources } from './workload-sources.ts';
import { decodeText, ownValue } from './sources.ts';

/** One variable whose value may wait for facts that exist only once the instance has an address. */
export interface EnvVarTemplate {
  readonly name: string;
  /** Literal text and late facts, to be joined; almost always one literal. */
  readonly value: readonly EnvPart[];
}

export type EnvPart = string | LatePart;

export interface LatePart {
  readonly late: 'status.podIP' | 'status.podIPs' | 'status.hostIP' | 'status.hostIPs';
}

export interface LateFacts {
  readonly podIPs: readonly string[];
  readonly hostIPs: readonly string[];
}

export interface ResolvedEnvironment {
  readonly variables: readonly EnvVarTemplate[];
  readonly lacking: readonly Lack[];
  readonly notices: readonly Notice[];
}

/**
 * A container's variables in the order of definition: `envFrom`, `env` (which overrides), then what Services add and
 * nobody else has set. A `$(VAR)` sees the variables before it and those of Services.
 */
export function resolveEnvironment(
  pod: Pod,
  container: Container,
  sources: Pick<WorkloadSources, 'configMap' | 'secret'>,
  facts: Pick<WorkloadFacts, 'allocatable'>,
  services: ReadonlyMap<string, string>,
): ResolvedEnvironment {
  const resolver = new Resolver(pod, container, sources, facts);
  const values = new Map<string, readonly EnvPart[]>();
  const invalid: string[] = [];
  const set = (name: string, value: readonly EnvPart[]): void => {
    if (validName.test(name)) values.set(name, value);
    else invalid.push(name);
  };

  for (const [name, value] of resolver.imported()) set(name, [value]);
  const lookup = (name: string): readonly EnvPart[] | undefined => {
    const service = services.get(name);
    return values.get(name) ?? (service === undefined ? undefined : [service]);
  };
  for (const variable of container.env ?? []) {
    const value = variable.value ? expandParts(variable.value, lookup) : resolver.fromSource(variable);
    if (value) set(variable.name, value);
  }
  for (const [name, value] of services) if (!values.has(name)) values.set(name, [value]);

  return {
    variables: Array.from(values, ([name, value]) => ({ name, value })),
    lacking: resolver.lacking,
    notices: [...resolver.absent.values(), ...(invalid.length === 0 ? [] : [invalidNames(container.name, invalid)])],
  };
}

/** Variables with everything in them, once the addresses are known. */
export function fillLate(variables: readonly EnvVarTemplate[], facts: LateFacts): Map<string, string> {
  const { podIPs, hostIPs } = facts;
  const late: Record<LatePart['late'], string> = {
    'status.podIP': podIPs[0] ?? '',
    'status.podIPs': podIPs.join(','),
    'status.hostIP': hostIPs[0] ?? '',
    'status.hostIPs': hostIPs.join(','),
  };
  const text = (part: EnvPart): string => (typeof part === 'string' ? part : late[part.late]);
  return new Map(variables.map(({ name, value }) => [name, value.map(text).join('')]));
}

/** `command`, `args` or a `subPathExpr` with the container's final variables. */
export function expandAll(texts: readonly string[], variables: ReadonlyMap<string, string>): string[] {
  return texts.map((text) => expand(text, (name) => variables.get(name)));
}

// What the API accepts since 1.34: printable ASCII without "=".
const validName = /^[\x20-\x3c\x3e-\x7e]+$/;

function invalidNames(container: string, names: readonly string[]): Notice {
  return {
    severity: 'Warning',
    reason: 'InvalidEnvironmentVariableNames',
    message: `Keys [${names.join(', ')}] of container ${container} were skipped since they are considered invalid environment variable names.`,
  };
}

const lateFields: ReadonlySet<string> = new Set(['status.podIP', 'status.podIPs', 'status.hostIP', 'status.hostIPs']);

function isLate(fieldPath: string): fieldPath is LatePart['late'] {
  return lateFields.has(fieldPath);
}

class Resolver {
  readonly lacking: Lack[] = [];
  /** Optional objects that are not there, by kind and name. */
  readonly absent: Map<string, Notice> = new Map();
  readonly #pod: Pod;
  readonly #container: Container;
  readonly #sources: Pick<WorkloadSources, 'configMap' | 'secret'>;
  readonly #facts: Pick<WorkloadFacts, 'allocatable'>;

  constructor(
    pod: Pod,
    container: Container,
    sources: Pick<WorkloadSources, 'configMap' | 'secret'>,
    facts: Pick<WorkloadFacts, 'allocatable'>,
  ) {
    this.#pod = pod;
    this.#container = container;
    this.#sources = sources;
    this.#facts = facts;
  }

  *imported(): Iterable<readonly [string, string]> {
    for (const { prefix = '', configMapRef, secretRef } of this.#container.envFrom ?? []) {
      if (configMapRef) {
        const { name = '', optional } = configMapRef;
        const configMap = this.#sources.configMap(name);
        if (!configMap) this.#objectMissing('configMap', name, optional);
        for (const [key, value] of Object.entries(configMap?.data ?? {})) yield [prefix + key, value];
      } else if (secretRef) {
        const { name = '', optional } = secretRef;
        const secret = this.#sources.secret(name);
        if (!secret) this.#objectMissing('secret', name, optional);
        for (const [key, value] of Object.entries(secret?.data ?? {})) yield [prefix + key, decodeText(value)];
      }
    }
  }

  /** Undefined: the variable is left out, because its source is optional and absent, or because something is lacking. */
  fromSource({ name, valueFrom }: EnvVar): readonly EnvPart[] | undefined {
    if (!valueFrom) return [''];
    if (valueFrom.fieldRef) return this.#field(name, valueFrom.fieldRef.fieldPath);
    if (valueFrom.resourceFieldRef) return this.#value(name, this.#resource(valueFrom.resourceFieldRef));
    if (valueFrom.configMapKeyRef) return this.#configMapKey(valueFrom.configMapKeyRef);
    if (valueFrom.secretKeyRef) return this.#secretKey(valueFrom.secretKeyRef);
    const source = Object.keys(valueFrom)[0] ?? 'nothing';
    return this.#invalid(name, `environment variable ${name} has a source that is not supported: ${source}`);
  }

  #field(variable: string, fieldPath: string): readonly EnvPart[] | undefined {
    if (isLate(fieldPath)) return [{ late: fieldPath }];
    switch (fieldPath) {
      case 'spec.nodeName':
      case 'spec.host':
        return [this.#pod.spec?.nodeName ?? ''];
      case 'spec.serviceAccountName':
        return [this.#pod.spec?.serviceAccountName ?? ''];
      default:
        return this.#value(variable, metadataField(this.#pod, fieldPath));
    }
  }

  #resource(selector: NonNullable<EnvVarSource['resourceFieldRef']>): FieldValue {
    const { initContainers = [], containers = [] } = this.#pod.spec ?? {};
    const { containerName } = selector;
    const container = containerName
      ? [...containers, ...initContainers].find(({ name }) => name === containerName)
      : this.#container;
    if (!container) return { ok: false, error: `container ${containerName} not found` };
    return resourceField(selector, container, defaultLimits(this.#pod, this.#facts.allocatable));
  }

  #configMapKey({ name = '', key, optional }: NonNullable<EnvVarSource['configMapKeyRef']>): EnvPart[] | undefined {
    const configMap = this.#sources.configMap(name);
    const value = ownValue(configMap?.data, key);
    if (value !== undefined) return [value];
    if (!configMap) this.#objectMissing('configMap', name, optional);
    else if (!optional) this.lacking.push(this.#keyNotFound('configMap', name, key));
    return undefined;
  }

  #secretKey({ name = '', key, optional }: NonNullable<EnvVarSource['secretKeyRef']>): EnvPart[] | undefined {
    const secret = this.#sources.secret(name);
    const value = ownValue(secret?.data, key);
    if (value !== undefined) return [decodeText(value)];
    if (!secret) this.#objectMissing('secret', name, optional);
    else if (!optional) this.lacking.push(this.#keyNotFound('secret', name, key));
    return undefined;
  }

  #objectMissing(kind: 'configMap' | 'secret', name: string, optional: boolean | undefined): void {
    if (optional) this.absent.set(`${kind}/${name}`, missingObjectNotice('Optional', kind, name));
    else this.lacking.push(objectNotFound(kind, name));
  }

  #keyNotFound(kind: 'configMap' | 'secret', name: string, key: string): Lack {
    const object = `${kind === 'configMap' ? 'ConfigMap' : 'Secret'} ${this.#pod.metadata?.namespace}/${name}`;
    return { kind, name, key, message: `couldn't find key ${key} in ${object}` };
  }

  #value(variable: string, field: FieldValue): readonly EnvPart[] | undefined {
    return field.ok ? [field.value] : this.#invalid(variable, field.error);
  }

  #invalid(variable: string, message: string): undefined {
    this.lacking.push({ kind: 'invalid', name: `env ${variable}`, message });
    return undefined;
  }
}
