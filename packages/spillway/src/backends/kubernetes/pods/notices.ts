import type { Event, Pod } from '@spillway/kube';
import { sentences } from '../../../podspec/words.ts';
import type { InstanceRef, Notice } from '../../backend.ts';
import type { Dialect } from '../dialect.ts';
import { namesUsedBy } from '../copies/copies.ts';
import { isOfPod } from '../fields/hosts-file.ts';
import { sourceNameOf } from './names.ts';

/** Said already by the scheduler that bound the pod to the virtual node. */
const ours = new Set(['Scheduled']);

/** What an event of the other cluster tells about the pod here; undefined: nothing. */
export function noticeOf(event: Event, { name, remedyOf }: Pick<Dialect, 'name' | 'remedyOf'>): Notice | undefined {
  const { reason, message = '', type, involvedObject } = event;
  if (!reason || ours.has(reason)) return undefined;
  const { fieldPath } = involvedObject;
  const [, container = ''] = /^spec\.initContainers\{(.*)\}$/.exec(fieldPath ?? '') ?? [];
  const isHidden = !isOfPod({ name: container });
  if (type !== 'Warning' && isHidden) return undefined;
  return {
    severity: type === 'Warning' ? 'Warning' : 'Normal',
    reason,
    message: sentences(message, remedyOf(message)),
    component: name,
    ...(fieldPath && !isHidden && { fieldPath }),
  };
}

/**
 * What the other cluster says of a pod and of what it uses, in the names that these have here. Kubelets call a pod
 * `name_namespace(UID)`, others `namespace/name` or by its name alone.
 */
export function namedAsHere(message: string, pod: Pod, ref: InstanceRef): string {
  const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
  if (name === '') return message;
  const { configMaps, secrets } = namesUsedBy(pod);
  const here = new Map([[name, ref.name]]);
  for (const copy of [...configMaps, ...secrets]) here.set(copy, sourceNameOf(copy, ref.namespace) ?? copy);
  const names = [...here.keys()].map((each) => each.replaceAll('.', '\\.')).join('|');
  // As a word of its own, whatever quotes there are: `"namespace"/"name"`.
  const mention = new RegExp(
    `(?<![a-z0-9.-])(?:${namespace}("?/"?))?(?<![a-z0-9.-])(${names})(?![a-z0-9-]|\\.[a-z0-9])`,
    'g',
  );
  return message
    .replaceAll(`${name}_${namespace}(${uid})`, `${ref.name}_${ref.namespace}(${ref.uid})`)
    .replaceAll(mention, (_, slash: string | undefined, there: string) => {
      const called = here.get(there) ?? there;
      return slash === undefined ? called : `${ref.namespace}${slash}${called}`;
    });
}
