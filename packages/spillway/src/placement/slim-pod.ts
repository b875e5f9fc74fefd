import type { Pod } from '@spillway/kube';

/** Of a pod on a real node only its name, owner, marks and health matter to placement, and there are many of them. */
export function slimPod(pod: Pod, isVirtual: (nodeName: string) => boolean): Pod {
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName === '' || isVirtual(nodeName)) return pod;
  const { phase, conditions } = pod.status ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    ...(pod.metadata === undefined ? {} : { metadata: pod.metadata }),
    spec: { nodeName, containers: [] },
    status: {
      ...(phase === undefined ? {} : { phase }),
      ...(conditions === undefined ? {} : { conditions }),
    },
  };
}
