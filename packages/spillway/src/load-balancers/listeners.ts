import { type Ingress, type KubeObject, nameOf, namespaceOf, objectKey, type Service } from '@spillway/kube';

export const keyOf = (object: KubeObject): string => objectKey(namespaceOf(object), nameOf(object));

/** Where load balancers of Huawei Cloud (ELB) listen for a Service that names one: `ID PORT/PROTOCOL`. */
export function listenersOf({ metadata, spec }: Service): readonly string[] {
  const id = metadata?.annotations?.['kubernetes.io/elb.id'];
  if (id === undefined) return [];
  return (spec?.ports ?? []).map(({ port, protocol = 'TCP' }) => `${id} ${port}/${protocol}`);
}

/** `namespace/name` of the Services behind an Ingress. */
export function servicesBehind(ingress: Ingress): readonly string[] {
  const { defaultBackend, rules = [] } = ingress.spec ?? {};
  const backends = [defaultBackend, ...rules.flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend))];
  return backends.flatMap((backend) =>
    backend?.service === undefined ? [] : [objectKey(namespaceOf(ingress), backend.service.name)],
  );
}
