import type { Pod, Service } from '@spillway/kube';

/**
 * Variables that tell a container where Services are: `KUBERNETES_SERVICE_HOST` and its relatives always, those of the
 * pod's own namespace unless `enableServiceLinks` is false. Services without an address have none.
 */
export function serviceVariables(pod: Pod, services: readonly Service[]): Map<string, string> {
  const namespace = pod.metadata?.namespace ?? '';
  const links = pod.spec?.enableServiceLinks !== false;
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const { name = '', namespace: home } = service.metadata ?? {};
    const address = service.spec?.clusterIP;
    if (!address || address === 'None') continue;
    if (home === 'default' && name === 'kubernetes') chosen.set(name, chosen.get(name) ?? service);
    else if (home === namespace && links) chosen.set(name, service);
  }
  const variables = new Map<string, string>();
  for (const [name, service] of chosen) addService(variables, name, service);
  return variables;
}

function addService(variables: Map<string, string>, serviceName: string, service: Service): void {
  const { clusterIP = '', ports = [] } = service.spec ?? {};
  const prefix = variableName(serviceName);
  const host = clusterIP.includes(':') ? `[${clusterIP}]` : clusterIP;
  variables.set(`${prefix}_SERVICE_HOST`, clusterIP);
  for (const [index, { name, port, protocol = 'TCP' }] of ports.entries()) {
    const url = `${protocol.toLowerCase()}://${host}:${port}`;
    if (index === 0) {
      variables.set(`${prefix}_SERVICE_PORT`, String(port));
      variables.set(`${prefix}_PORT`, url);
    }
    if (name) variables.set(`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port));
    const link = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    variables.set(link, url);
    variables.set(`${link}_PROTO`, protocol.toLowerCase());
    variables.set(`${link}_PORT`, String(port));
    variables.set(`${link}_ADDR`, clusterIP);
  }
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
