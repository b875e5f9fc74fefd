import {
  type Clock,
  type EndpointSlice,
  endpointSlices,
  type EventRecorder,
  type Ingress,
  ingresses,
  Informer,
  type KubeClient,
  type KubeObject,
  type Logger,
  type ObjectMeta,
  type ResourceType,
  type Service,
  services,
  uidOf,
} from '@spillway/kube';
import { sentences } from '../podspec/words.ts';
import { BalancerBook, type BalancerAdvice } from './balancer-book.ts';

export interface BalancerWatchOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  /** Names of the virtual nodes. */
  readonly poolNodes: readonly string[];
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const reasons: Readonly<Record<BalancerAdvice['code'], string>> = {
  'health-check-port': 'HealthCheckPort',
  'shared-listener': 'SharedListener',
};

/** An event is forgotten by the API server after an hour; nobody wants it each hour. */
const againMs = 12 * 3_600_000;

/** Warns on Services and Ingresses whose load balancer does not go together with burst pods, once they are behind it. */
export class BalancerWatch {
  readonly #options: BalancerWatchOptions;
  readonly #book: BalancerBook;
  readonly #informers: readonly { run(signal: AbortSignal): Promise<void> }[];
  readonly #told = new Set<string>();

  constructor(options: BalancerWatchOptions) {
    const poolNodes = new Set(options.poolNodes);
    const isVirtual = (nodeName: string): boolean => poolNodes.has(nodeName);
    this.#options = options;
    this.#book = new BalancerBook(isVirtual);
    const ofServices = this.#informer(services, slimService);
    const ofIngresses = this.#informer(ingresses, slimIngress);
    const ofSlices = this.#informer(endpointSlices, (slice) => slimSlice(slice, isVirtual));
    follow(ofServices, {
      seen: (service) => this.#tell(this.#book.serviceSeen(service)),
      gone: (service) => this.#book.serviceGone(service),
    });
    follow(ofIngresses, {
      seen: (ingress) => this.#tell(this.#book.ingressSeen(ingress)),
      gone: (ingress) => this.#book.ingressGone(ingress),
    });
    follow(ofSlices, {
      seen: (slice) => this.#tell(this.#book.sliceSeen(slice)),
      gone: (slice) => this.#book.sliceGone(slice),
    });
    this.#informers = [ofServices, ofIngresses, ofSlices];
  }

  /** Resolves when `signal` is aborted and all has stopped. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#informers.map((informer) => informer.run(signal)), this.#repeat(signal)]);
  }

  #informer<T extends KubeObject>(type: ResourceType<T>, transform: (object: T) => T): Informer<T> {
    const { client, logger } = this.#options;
    return new Informer<T>({
      client,
      type,
      transform,
      lane: 'placement-watch',
      logger,
      onError: (error) => logger.warn({ err: error }, `cannot watch ${type.plural}; trying again`),
    });
  }

  async #repeat(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await clock.sleep(againMs, signal);
      if (signal.aborted) return;
      this.#told.clear();
      this.#tell(this.#book.all());
    }
  }

  #tell(advice: readonly BalancerAdvice[]): void {
    for (const { code, object, message, remedy } of advice) {
      const key = `${uidOf(object)} ${message}`;
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      this.#options.recorder.record(object, {
        type: 'Warning',
        reason: reasons[code],
        message: sentences(message, remedy),
      });
    }
  }
}

function follow<T extends KubeObject>(
  informer: Informer<T>,
  { seen, gone }: { readonly seen: (object: T) => void; readonly gone: (object: T) => void },
): void {
  informer.subscribe({ added: seen, changed: (_, object) => seen(object), deleted: gone });
}

/** Of what is watched, only this is kept: there may be many of them. */
function slimMetadata({ metadata = {} }: KubeObject): ObjectMeta {
  const { name, namespace, uid, resourceVersion, annotations = {} } = metadata;
  const balancing = Object.entries(annotations).filter(([key]) => key.startsWith('kubernetes.io/elb.'));
  return {
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(balancing.length > 0 && { annotations: Object.fromEntries(balancing) }),
  };
}

function slimService(service: Service): Service {
  const { type, ports = [] } = service.spec ?? {};
  const spec = { ...(type !== undefined && { type }), ...(type === 'LoadBalancer' && { ports }) };
  return { apiVersion: 'v1', kind: 'Service', metadata: slimMetadata(service), spec };
}

function slimIngress(ingress: Ingress): Ingress {
  const { spec = {} } = ingress;
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: slimMetadata(ingress), spec };
}

function slimSlice(slice: EndpointSlice, isVirtual: (nodeName: string) => boolean): EndpointSlice {
  const service = slice.metadata?.labels?.['kubernetes.io/service-name'];
  const labels = service === undefined ? {} : { labels: { 'kubernetes.io/service-name': service } };
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...slimMetadata(slice), ...labels },
    addressType: slice.addressType,
    endpoints: (slice.endpoints ?? []).filter(({ nodeName = '' }) => isVirtual(nodeName)),
  };
}
