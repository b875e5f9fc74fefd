import type { LinkService } from '../protocol/messages.ts';
import type { Asked } from './asked.ts';

/** One thing that a name stands for, as CoreDNS's backends describe it. */
export interface Found {
  readonly address: string;
  /** Undefined: endpoints without ports. */
  readonly port: number | undefined;
  /** The name that has this address. */
  readonly target: string;
}

/**
 * What there is of a Service under a name; empty: there is no such name. The name of a Service without an address of its own stands
 * for its endpoints, and so there is none while no endpoint is ready.
 *
 * @param addresses at which the Service can be reached
 */
export function findRecords(
  { endpoint, port }: Extract<Asked, { kind: 'service' }>,
  service: LinkService,
  addresses: readonly string[],
  domain: string,
): readonly Found[] {
  const { kind, namespace, name } = service;
  const own = `${name}.${namespace}.svc.${domain}`;
  if (kind === 'externalName') return [];
  const isAsked = (each: { readonly name: string; readonly protocol: string }): boolean =>
    port === undefined ||
    (port.name === each.name.toLowerCase() && port.protocol === each.protocol.toLowerCase()) ||
    (port.name === '' && port.protocol === '');
  if (kind === 'clusterIP' && endpoint === undefined) {
    return service.ports
      .filter(isAsked)
      .flatMap((each) => addresses.map((address) => ({ address, port: each.port, target: own })));
  }
  return service.groups.flatMap(({ ports, endpoints }) =>
    endpoints.flatMap(({ address, hostname = address.replaceAll('.', '-'), draining }): Found[] => {
      if (draining === true || (endpoint !== undefined && endpoint !== hostname)) return [];
      const target = `${hostname}.${own}`;
      if (ports.length === 0) return port === undefined ? [{ address, port: undefined, target }] : [];
      return ports.filter(isAsked).map((each) => ({ address, port: each.port, target }));
    }),
  );
}
