import { nameOf, namespaceOf, objectKey, type Ingress, type KubeObject, type Service } from '@spillway/kube';
import { monitorPortsOf } from '../../placement/monitor-port.ts';
import { isVirtual } from '../why.ts';
import { type Check, type ClusterView, type Finding, named } from './view.ts';

/** Load balancers with burst pods behind them that are told what to probe, or that share a listener. */
export const checkLoadBalancers: Check = (view) => {
  const bursts = servicesWithBurstPods(view);
  const balancers = view.services.filter(
    (service) => service.spec?.type === 'LoadBalancer' && bursts.has(keyOfService(service)),
  );
  const ingresses = view.ingresses.filter((ingress) => backendsOf(ingress).some((key) => bursts.has(key)));
  return [
    ...balancers.flatMap((service) => monitorPortFindings('Service', service)),
    ...ingresses.flatMap((ingress) => monitorPortFindings('Ingress', ingress)),
    ...sharedListenerFindings(balancers, view.services),
  ];
};

const keyOfService = (service: KubeObject): string => objectKey(namespaceOf(service), nameOf(service));

/** `namespace/name` of Services with an endpoint on a virtual node. */
function servicesWithBurstPods({ nodes, endpointSlices }: ClusterView): ReadonlySet<string> {
  const virtual = new Set(nodes.filter(isVirtual).map(nameOf));
  return new Set(
    endpointSlices
      .filter(({ endpoints }) => endpoints?.some(({ nodeName = '' }) => virtual.has(nodeName)))
      .map((slice) => objectKey(namespaceOf(slice), slice.metadata?.labels?.['kubernetes.io/service-name'] ?? '')),
  );
}

function backendsOf(ingress: Ingress): readonly string[] {
  const { defaultBackend, rules = [] } = ingress.spec ?? {};
  const backends = [defaultBackend, ...rules.flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend))];
  return backends.flatMap((backend) =>
    backend?.service === undefined ? [] : [objectKey(namespaceOf(ingress), backend.service.name)],
  );
}

const monitorPortFindings = (kind: string, object: KubeObject): Finding[] =>
  monitorPortsOf(object).map(({ annotation, port }) => ({
    code: 'health-check-port',
    severity: 'warning',
    object: named(kind, object),
    message: `${annotation} makes the load balancer probe port ${port}, and burst pods behind it register another one`,
    remedy: `Leave monitor_port out of ${annotation}.`,
  }));

const balancerOf = ({ metadata }: Service): string | undefined => metadata?.annotations?.['kubernetes.io/elb.id'];

function sharedListenerFindings(bursting: readonly Service[], services: readonly Service[]): Finding[] {
  return bursting.flatMap((service) => {
    const id = balancerOf(service);
    if (id === undefined) return [];
    return (service.spec?.ports ?? []).flatMap(({ port, protocol = 'TCP' }) => {
      const others = services.filter(
        (other) =>
          keyOfService(other) !== keyOfService(service) &&
          balancerOf(other) === id &&
          other.spec?.ports?.some((each) => each.port === port && (each.protocol ?? 'TCP') === protocol),
      );
      return others.map(
        (other): Finding => ({
          code: 'shared-listener',
          severity: 'warning',
          object: named('Service', service),
          message: `it shares port ${port}/${protocol} of load balancer ${id} with ${named('Service', other)}, and has burst pods behind it: one health check serves both`,
          remedy:
            'Give one of them another port or a load balancer of its own, or make sure that the health check suits both.',
        }),
      );
    });
  });
}
