import type { EndpointSlice, Ingress, Service } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { BalancerBook } from './balancer-book.ts';

const probing = { 'kubernetes.io/elb.health-check-option': '{"monitor_port":"22"}' };
const onBalancer = { 'kubernetes.io/elb.id': 'elb-1' };

const service = (name: string, annotations: Record<string, string>, port = 80): Service => ({
  metadata: { name, namespace: 'shop', annotations },
  spec: { type: 'LoadBalancer', ports: [{ port }] },
});
const ingress = (annotations: Record<string, string>): Ingress => ({
  metadata: { name: 'front', namespace: 'shop', annotations },
  spec: { defaultBackend: { service: { name: 'web' } } },
});
const slice = (of: string, nodeName: string, name = `${of}-1`): EndpointSlice => ({
  metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': of } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'], nodeName }],
});
const book = (): BalancerBook => new BalancerBook((name) => name === 'virtual');
const codes = (advice: ReturnType<BalancerBook['all']>): string[] =>
  advice.map(({ code, kind, object }) => `${code} ${kind} ${object.metadata?.name}`);

describe('a health-check port', () => {
  const both = ['health-check-port Service web', 'health-check-port Ingress front'];

  it('that was set before is told when the first burst pod is behind it, and not with each further slice', () => {
    const known = book();
    expect(known.serviceSeen(service('web', probing))).toEqual([]);
    expect(known.ingressSeen(ingress(probing))).toEqual([]);
    expect(known.sliceSeen(slice('web', 'node-1'))).toEqual([]);
    expect(codes(known.sliceSeen(slice('web', 'virtual')))).toEqual(both);
    expect(known.sliceSeen(slice('web', 'virtual', 'web-2'))).toEqual([]);
    expect(codes(known.all())).toEqual(both);
  });

  it('that is set when burst pods are there is told at once', () => {
    const known = book();
    known.sliceSeen(slice('web', 'virtual'));
    expect(codes(known.serviceSeen(service('web', probing)))).toEqual(both.slice(0, 1));
    expect(codes(known.ingressSeen(ingress(probing)))).toEqual(both.slice(1));
  });

  it('is nothing to tell without burst pods, without the annotation, or when either is gone', () => {
    const known = book();
    known.serviceSeen(service('web', probing));
    known.ingressSeen(ingress(probing));
    known.sliceSeen(slice('web', 'virtual'));
    known.sliceSeen(slice('web', 'node-1'));
    expect(known.all()).toEqual([]);
    known.sliceSeen(slice('web', 'virtual'));
    known.serviceSeen(service('web', {}));
    known.ingressGone(ingress(probing));
    expect(known.all()).toEqual([]);
    known.serviceSeen({ ...service('web', probing), spec: { type: 'ClusterIP', ports: [{ port: 80 }] } });
    expect(known.all()).toEqual([]);
  });
});

describe('a listener that two Services share', () => {
  it('is told on the one with burst pods, whichever of the two comes last', () => {
    const known = book();
    known.sliceSeen(slice('web', 'virtual'));
    known.serviceSeen(service('web', onBalancer));
    expect(known.serviceSeen(service('other-port', onBalancer, 81))).toEqual([]);
    expect(known.serviceSeen(service('api', onBalancer))).toMatchObject([
      { code: 'shared-listener', object: { metadata: { name: 'web' } }, message: expect.stringContaining('shop/api') },
    ]);
    known.serviceGone(service('api', onBalancer));
    expect(known.all()).toEqual([]);
  });
});
