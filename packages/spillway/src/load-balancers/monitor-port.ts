import type { KubeObject } from '@spillway/kube';

/** What a load balancer of Huawei Cloud (ELB) probes; the second is a list, one entry for each port of the Service. */
const healthCheckAnnotations = [
  'kubernetes.io/elb.health-check-option',
  'kubernetes.io/elb.health-check-options',
] as const;

/** The annotation and the port that it makes a load balancer probe, e.g. `22`. */
export interface MonitorPort {
  readonly annotation: string;
  readonly port: string;
}

/**
 * The health-check ports that a Service or an Ingress sets. Burst pods and pods of the cluster register different ports at
 * the load balancer, so none may be set where burst pods are behind it (CCE guide, "Bursting from CCE to CCI", constraints).
 */
export function monitorPortsOf({ metadata }: KubeObject): readonly MonitorPort[] {
  return healthCheckAnnotations.flatMap((annotation) => {
    const text = metadata?.annotations?.[annotation];
    return text === undefined ? [] : portsIn(text).map((port) => ({ annotation, port }));
  });
}

function portsIn(text: string): readonly string[] {
  let options: unknown;
  try {
    options = JSON.parse(text);
  } catch {
    // What is no JSON the cloud refuses by itself.
    return [];
  }
  return (Array.isArray(options) ? options : [options]).flatMap((option: unknown) => {
    const port = typeof option === 'object' && option !== null ? Reflect.get(option, 'monitor_port') : undefined;
    return typeof port === 'string' || typeof port === 'number' ? [String(port)] : [];
  });
}
