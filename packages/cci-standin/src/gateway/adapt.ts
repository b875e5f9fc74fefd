import type { IncomingHttpHeaders } from 'node:http';
import type { Identity } from '../accounts.ts';
import { isObject, objectAt, type JsonObject } from '../json.ts';
import type { Call } from '../rules/call.ts';
import { requestingNothing } from './asked.ts';
import { describesPods, withPod } from './pods-in.ts';

/** Query parameters that an API server as old as CCI's does not know, and so ignores. */
const unknownParameters = new Set(['sendInitialEvents', 'resourceVersionMatch', 'allowWatchBookmarks', 'sinceTime']);

export const projectLabel = 'tenant.kubernetes.io/project-id';

/** What is in no namespace, so that a label says whose it is. */
const ownedByLabel = new Set(['namespaces', 'persistentvolumes']);

/** The region's node keeps away all pods that do not tolerate this. */
const nodeToleration = { key: 'virtual-kubelet.io/burst-to-cci', operator: 'Exists', effect: 'NoSchedule' };

/** Path and query for the API server; the order of repeated parameters is kept. */
export function upstreamTarget(pathname: string, { query, route, identity }: Call): string {
  const kept = new URLSearchParams([...query].filter(([name]) => !unknownParameters.has(name)));
  if (ownedByLabel.has(route.resource) && route.name === undefined) {
    const own = `${projectLabel}=${identity.project.id}`;
    const selector = kept.get('labelSelector');
    kept.set('labelSelector', selector === null || selector === '' ? own : `${selector},${own}`);
  }
  const text = kept.toString();
  return text === '' ? pathname : `${pathname}?${text}`;
}

/** Nothing else of what the client sent goes on: neither credentials nor what claims to be somebody. */
const forwarded = ['accept', 'accept-encoding', 'content-type', 'user-agent', 'x-stream-protocol-version'];
const forwardedOfUpgrades = ['connection', 'upgrade', 'sec-websocket-key', 'sec-websocket-version'];

export function upstreamHeaders(
  headers: IncomingHttpHeaders,
  identity: Identity,
  kind: 'plain' | 'upgrade',
): Record<string, string | string[]> {
  const names = kind === 'upgrade' ? [...forwarded, ...forwardedOfUpgrades] : forwarded;
  const kept = names.flatMap((name): [string, string | string[]][] => {
    const value = headers[name];
    return value === undefined ? [] : [[name, value]];
  });
  const protocols = kind === 'upgrade' ? harmlessProtocols(headers['sec-websocket-protocol']) : '';
  return {
    ...Object.fromEntries(kept),
    // CCI speaks JSON only.
    ...(headers.accept?.includes('protobuf') === true ? { accept: 'application/json' } : {}),
    ...(protocols === '' ? {} : { 'sec-websocket-protocol': protocols }),
    'Impersonate-User': userOf(identity),
    'Impersonate-Group': groupOf(identity.project.id),
  };
}

/** One of the subprotocols of a WebSocket may carry a bearer token. */
function harmlessProtocols(value: string | undefined): string {
  return (value ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '' && !each.startsWith('base64url.bearer.authorization.k8s.io.'))
    .join(', ');
}

export function userOf({ domain, user }: Pick<Identity, 'domain' | 'user'>): string {
  return `cci:${domain.name}:${user.name}`;
}

export function groupOf(projectId: string): string {
  return `cci:project:${projectId}`;
}

/** What CCI adds to new objects, and pods as they are for the node; undefined when the body goes on as it came. */
export function upstreamBody(call: Call, { soldOut }: { readonly soldOut: boolean }): JsonObject | undefined {
  const { method, route, body } = call;
  if (route.subresource !== undefined || !isObject(body)) return undefined;
  if (method === 'POST' && route.resource === 'namespaces') return newNamespace(call);
  if (method === 'POST' && route.resource === 'persistentvolumeclaims') return body;
  if (!describesPods(route) || method === 'DELETE') return undefined;
  const made = method === 'POST' && route.resource === 'pods' ? newPod(call, soldOut) : body;
  return withPod(route, made, requestingNothing);
}

function newNamespace({ body, identity: { domain, project } }: Call): JsonObject {
  const metadata = objectAt(body, 'metadata');
  return {
    ...objectAt({ body }, 'body'),
    metadata: {
      ...metadata,
      labels: { ...objectAt(metadata, 'labels'), [projectLabel]: project.id },
      annotations: {
        ...objectAt(metadata, 'annotations'),
        'pv.kubernetes.io/enable-dynamic-provisioning': 'true',
        'scheduler.alpha.kubernetes.io/defaultTolerations': JSON.stringify([nodeToleration]),
        'tenant.kubernetes.io/domain-id': domain.id,
        'tenant.kubernetes.io/domain-name': domain.name,
        'tenant.kubernetes.io/project-id': project.id,
        'tenant.kubernetes.io/project-name': project.name,
      },
    },
  };
}

/** A pod for which nothing is left is Pending for ever: no node has this label. */
const soldOutSelector = { 'cci.io/sold-out': 'true' };

function newPod({ body }: Call, soldOut: boolean): JsonObject {
  const metadata = objectAt(body, 'metadata');
  const annotations = { ...objectAt(metadata, 'annotations'), 'cri.cci.io/container-type': 'secure-container' };
  const spec = objectAt(body, 'spec');
  return {
    ...objectAt({ body }, 'body'),
    metadata: { ...metadata, annotations },
    spec: { ...spec, ...nameServer(spec), ...(soldOut ? { nodeSelector: soldOutSelector } : {}) },
  };
}

/** A namespace has no name server of its own unless it has installed the add-on for it, which is not there. */
function nameServer({ dnsPolicy = 'ClusterFirst' }: JsonObject): JsonObject {
  return dnsPolicy === 'ClusterFirst' ? { dnsPolicy: 'Default' } : {};
}
