import { type EndpointSlice, type Ingress, namespaceOf, nameOf, objectKey, type Service } from '@spillway/kube';
import { keyOf, listenersOf, servicesBehind } from './listeners.ts';
import { monitorPortsOf } from './monitor-port.ts';

/** Something about a load balancer that does not go together with the burst pods behind it. */
export interface BalancerAdvice {
  readonly code: 'health-check-port' | 'shared-listener';
  readonly kind: 'Service' | 'Ingress';
  readonly object: Service | Ingress;
  readonly message: string;
  readonly remedy: string;
}

/**
 * Which Services have burst pods behind them, and which load balancers that concerns. Services that set no health check and
 * name no load balancer, and Ingresses that set no health check, are not kept: the work per change depends on what shares a
 * Service or a listener, not on the size of the cluster. What an event makes true is its answer, also what was true before.
 */
export class BalancerBook {
  readonly #isVirtual: (nodeName: string) => boolean;
  readonly #services = new Map<string, Service>();
  readonly #ingresses = new Map<string, Ingress>();
  /** By Service */
  readonly #ingressesOf = new Index();
  readonly #byListener = new Index();
  /** Names of EndpointSlices with burst pods, by Service */
  readonly #slices = new Index();

  constructor(isVirtual: (nodeName: string) => boolean) {
    this.#isVirtual = isVirtual;
  }

  serviceSeen(service: Service): readonly BalancerAdvice[] {
    this.serviceGone(service);
    const listeners = listenersOf(service);
    const concerns = listeners.length > 0 || monitorPortsOf(service).length > 0;
    if (service.spec?.type !== 'LoadBalancer' || !concerns) return [];
    const key = keyOf(service);
    this.#services.set(key, service);
    for (const listener of listeners) this.#byListener.add(listener, key);
    const sharing = new Set([key, ...listeners.flatMap((listener) => this.#byListener.get(listener))]);
    return [...sharing].flatMap((each) => this.#serviceAdvice(each));
  }

  serviceGone(service: Service): void {
    const key = keyOf(service);
    const known = this.#services.get(key);
    if (known === undefined) return;
    this.#services.delete(key);
    for (const listener of listenersOf(known)) this.#byListener.remove(listener, key);
  }

  ingressSeen(ingress: Ingress): readonly BalancerAdvice[] {
    this.ingressGone(ingress);
    if (monitorPortsOf(ingress).length === 0) return [];
    const key = keyOf(ingress);
    this.#ingresses.set(key, ingress);
    for (const service of servicesBehind(ingress)) this.#ingressesOf.add(service, key);
    return this.#ingressAdvice(key);
  }

  ingressGone(ingress: Ingress): void {
    const key = keyOf(ingress);
    const known = this.#ingresses.get(key);
    if (known === undefined) return;
    this.#ingresses.delete(key);
    for (const service of servicesBehind(known)) this.#ingressesOf.remove(service, key);
  }

  /** Answers only when the Service gets its first burst pods. */
  sliceSeen(slice: EndpointSlice): readonly BalancerAdvice[] {
    const service = serviceOf(slice);
    const before = this.#slices.get(service).length;
    this.sliceGone(slice);
    if (slice.endpoints?.some(({ nodeName = '' }) => this.#isVirtual(nodeName)) !== true) return [];
    this.#slices.add(service, nameOf(slice));
    return before > 0 ? [] : this.#adviceBehind(service);
  }

  sliceGone(slice: EndpointSlice): void {
    this.#slices.remove(serviceOf(slice), nameOf(slice));
  }

  /** All that is true now. */
  all(): readonly BalancerAdvice[] {
    const services = [...this.#slices.keys()].flatMap((service) => this.#serviceAdvice(service));
    return [...services, ...[...this.#ingresses.keys()].flatMap((ingress) => this.#ingressAdvice(ingress))];
  }

  #adviceBehind(service: string): BalancerAdvice[] {
    const ingresses = this.#ingressesOf.get(service).flatMap((ingress) => this.#ingressAdvice(ingress));
    return [...this.#serviceAdvice(service), ...ingresses];
  }

  #serviceAdvice(key: string): BalancerAdvice[] {
    const service = this.#services.get(key);
    if (service === undefined || this.#slices.get(key).length === 0) return [];
    const sharing = listenersOf(service).flatMap((listener) =>
      this.#byListener
        .get(listener)
        .filter((other) => other !== key)
        .map((other) => sharedListener(service, listener, other)),
    );
    return [...monitorPorts('Service', service), ...sharing];
  }

  #ingressAdvice(key: string): BalancerAdvice[] {
    const ingress = this.#ingresses.get(key);
    const bursts = ingress && servicesBehind(ingress).some((service) => this.#slices.get(service).length > 0);
    return bursts === true ? monitorPorts('Ingress', ingress) : [];
  }
}

function monitorPorts(kind: BalancerAdvice['kind'], object: BalancerAdvice['object']): BalancerAdvice[] {
  return monitorPortsOf(object).map(({ annotation, port }) => ({
    code: 'health-check-port',
    kind,
    object,
    message: `${annotation} makes the load balancer probe port ${port}, and burst pods behind it register another one`,
    remedy: `Remove monitor_port from ${annotation}.`,
  }));
}

function sharedListener(object: Service, listener: string, other: string): BalancerAdvice {
  const [id = '', port = ''] = listener.split(' ');
  return {
    code: 'shared-listener',
    kind: 'Service',
    object,
    message: `Service ${other} shares port ${port} of load balancer ${id}, so one health check serves both, and there are burst pods behind this one`,
    remedy:
      'Give one of them another port or a load balancer of its own, or make sure that the health check suits both.',
  };
}

const serviceOf = (slice: EndpointSlice): string =>
  objectKey(namespaceOf(slice), slice.metadata?.labels?.['kubernetes.io/service-name'] ?? '');

/** Several values a key. */
class Index {
  readonly #sets = new Map<string, Set<string>>();

  keys(): Iterable<string> {
    return this.#sets.keys();
  }

  get(key: string): readonly string[] {
    return [...(this.#sets.get(key) ?? [])];
  }

  add(key: string, value: string): void {
    this.#sets.set(key, (this.#sets.get(key) ?? new Set()).add(value));
  }

  remove(key: string, value: string): void {
    const set = this.#sets.get(key);
    set?.delete(value);
    if (set?.size === 0) this.#sets.delete(key);
  }
}
