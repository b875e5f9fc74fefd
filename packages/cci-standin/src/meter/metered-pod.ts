import { type Pod, uidOf } from '@spillway/kube';
import { at, isObject, listAt, objectAt } from '../json.ts';
import { totalOf } from '../rules/pod-size.ts';
import type { MeteredPod, Size } from './bills.ts';

const uidLabel = 'spillway.dev/pod-uid';
const gib = 1024 ** 3;

/** What the meter needs of a pod of the region's API. */
export function meteredPod(pod: Pod): MeteredPod {
  const { metadata = {}, spec, status } = pod;
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((list) => listAt(status, list));
  const running = statuses.some((each) => at(each, 'state', 'running') !== undefined);
  const finished = statuses.flatMap((each) =>
    ['state', 'lastState'].flatMap((state) => Date.parse(String(at(each, state, 'terminated', 'finishedAt'))) || []),
  );
  const containers = listAt(spec, 'containers').filter(isObject);
  const init = listAt(spec, 'initContainers').filter(isObject);
  const amount = (resource: 'cpu' | 'memory'): number => Number(totalOf(resource, containers, init)) / 1000;
  const { [uidLabel]: uid = uidOf(pod) } = objectAt(metadata, 'labels');
  const { annotations = {} } = metadata;
  return {
    id: uidOf(pod),
    uid: String(uid),
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    size: shownSize(annotations) ?? { vcpu: amount('cpu'), gib: amount('memory') / gib },
    ended: status?.phase === 'Succeeded' || status?.phase === 'Failed' || metadata.deletionTimestamp !== undefined,
    finishedMs: running || finished.length === 0 ? undefined : Math.max(...finished),
  };
}

/** CCI 2.0 says on the pod what it is billed as: `0.50_1.0`. */
function shownSize({ 'resource.cci.io/size': text = '' }: Readonly<Record<string, string>>): Size | undefined {
  const [, vcpu, amount] = /^(\d+(?:\.\d+)?)_(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  return vcpu === undefined ? undefined : { vcpu: Number(vcpu), gib: Number(amount) };
}
