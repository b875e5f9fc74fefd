import type { Event, ObjectReference } from '../generated/index.ts';
import type { KubeObject } from '../resource-type.ts';

/** An object with its kind and apiVersion (as gets, lists and watches of this package deliver them), or a reference. */
export type ObjectReferenceLike = KubeObject | ObjectReference;

export interface EventContent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase: "Pulled", "BackOff" */
  readonly reason: string;
  readonly message: string;
  /** "spec.containers{app}" */
  readonly fieldPath?: string | undefined;
  /** Who says it. Default: the recorder's component */
  readonly component?: string | undefined;
}

export interface EventSource {
  readonly component: string;
  readonly host?: string | undefined;
}

/** The same thing that happened once or several times. */
export interface Occurrence {
  readonly involvedObject: ObjectReference;
  readonly content: EventContent;
  readonly firstAt: number;
  lastAt: number;
  count: number;
}

const longestMessage = 1024;

/** @throws TypeError when it does not say what it is */
export function referenceTo(object: ObjectReferenceLike, fieldPath: string | undefined): ObjectReference {
  const { apiVersion, kind } = object;
  const { name, namespace, uid, resourceVersion } = 'metadata' in object ? (object.metadata ?? {}) : nothing(object);
  if (kind === undefined || name === undefined) throw new TypeError('the object of an event needs kind and name');
  return {
    kind,
    name,
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}

const nothing = (object: ObjectReferenceLike): ObjectReference => object;

/** Occurrences with the same key are one Event with a count. */
export const occurrenceKey = ({
  involvedObject: on,
  content,
}: Pick<Occurrence, 'involvedObject' | 'content'>): string =>
  [
    on.apiVersion,
    on.kind,
    on.namespace,
    on.name,
    on.uid,
    on.fieldPath,
    content.type,
    content.reason,
    content.message,
    content.component,
  ].join('\n');

/** `unique` makes the name different from that of all other events on the object. */
export function eventObject(occurrence: Occurrence, source: EventSource, unique: string): Event {
  const { involvedObject, content } = occurrence;
  const component = content.component ?? source.component;
  const prefix = /^[a-z0-9]([-a-z0-9.]{0,200}[a-z0-9])?$/.exec(involvedObject.name ?? '')?.[0] ?? 'event';
  return {
    apiVersion: 'v1',
    kind: 'Event',
    // Events on cluster-scoped objects live in "default".
    metadata: { name: `${prefix}.${unique}`, namespace: involvedObject.namespace ?? 'default' },
    involvedObject,
    type: content.type,
    reason: content.reason,
    message: shorten(content.message),
    ...timesOf(occurrence),
    firstTimestamp: timestamp(occurrence.firstAt),
    source: { component, ...(source.host === undefined ? {} : { host: source.host }) },
    reportingComponent: component,
    reportingInstance: source.host ?? '',
  };
}

/** What changes when it happens again. */
export const timesOf = ({ lastAt, count }: Occurrence): { lastTimestamp: string; count: number } => ({
  lastTimestamp: timestamp(lastAt),
  count,
});

const shorten = (message: string): string =>
  message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 1)}…`;

/** metav1.Time has whole seconds. */
const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
