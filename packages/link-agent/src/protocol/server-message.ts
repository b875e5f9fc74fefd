import { isIP, isIPv4 } from 'node:net';
import type { Endpoint, EndpointGroup, LinkService, ServerMessage, ServiceName, ServicePort } from './messages.ts';

/** Reads a message of the server. Undefined: it is none. What is not understood of one is left out, never trusted. */
export function readServerMessage(text: string): ServerMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const service = serviceIn(value['service']);
  const absent = nameIn(value['absent']);
  const { resolvers, authorities } = value;
  return {
    ...(service && { service }),
    ...(absent && { absent }),
    ...(Array.isArray(resolvers) && {
      resolvers: resolvers.filter((each): each is string => typeof each === 'string' && isIP(each) > 0).slice(0, 16),
    }),
    ...(typeof authorities === 'string' && { authorities }),
  };
}

const kinds = ['clusterIP', 'headless', 'externalName'] as const;

function serviceIn(value: unknown): LinkService | undefined {
  if (!isRecord(value)) return undefined;
  const { namespace, name, externalName, affinitySeconds } = value;
  const kind = kinds.find((each) => each === value['kind']);
  if (!isLabel(namespace) || !isLabel(name) || kind === undefined) return undefined;
  return {
    namespace,
    name,
    kind,
    ...(typeof externalName === 'string' && { externalName }),
    ...(typeof affinitySeconds === 'number' && affinitySeconds > 0 && { affinitySeconds }),
    ports: listIn(value['ports'], portIn),
    groups: listIn(value['groups'], groupIn),
  };
}

function groupIn(value: unknown): EndpointGroup | undefined {
  if (!isRecord(value)) return undefined;
  return { ports: listIn(value['ports'], portIn), endpoints: listIn(value['endpoints'], endpointIn) };
}

function portIn(value: unknown): ServicePort | undefined {
  if (!isRecord(value)) return undefined;
  const { name, protocol, port } = value;
  if (typeof name !== 'string' || (protocol !== 'TCP' && protocol !== 'UDP')) return undefined;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { name, protocol, port };
}

/** Only addresses of version 4: pods of both sides have them. */
function endpointIn(value: unknown): Endpoint | undefined {
  if (!isRecord(value)) return undefined;
  const { address, hostname, draining } = value;
  if (typeof address !== 'string' || !isIPv4(address)) return undefined;
  return { address, ...(isLabel(hostname) && { hostname }), ...(draining === true && { draining }) };
}

function nameIn(value: unknown): ServiceName | undefined {
  if (!Array.isArray(value)) return undefined;
  const [namespace, name]: readonly unknown[] = value;
  return isLabel(namespace) && isLabel(name) ? [namespace, name] : undefined;
}

function listIn<T>(value: unknown, read: (each: unknown) => T | undefined): readonly T[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => read(each) ?? []);
}

/** A label of a DNS name, as Kubernetes demands of Services and namespaces. */
function isLabel(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
