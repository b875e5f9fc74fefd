import { nameOf } from '@spillway/kube';
import { BalancerBook } from '../../load-balancers/balancer-book.ts';
import { isVirtual } from '../why.ts';
import { type Check, named } from './view.ts';

/** Load balancers with burst pods behind them that are told what to probe, or that share a listener. */
export const checkLoadBalancers: Check = ({ nodes, services, ingresses, endpointSlices }) => {
  const virtual = new Set(nodes.filter(isVirtual).map(nameOf));
  const book = new BalancerBook((name) => virtual.has(name));
  for (const service of services) book.serviceSeen(service);
  for (const ingress of ingresses) book.ingressSeen(ingress);
  for (const slice of endpointSlices) book.sliceSeen(slice);
  return book.all().map(({ code, kind, object, message, remedy }) => ({
    code,
    severity: 'warning',
    object: named(kind, object),
    message,
    remedy,
  }));
};
