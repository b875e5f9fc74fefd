/** One of the kubelet's paths. */
export type Route =
  | { readonly kind: 'healthz' | 'metrics' | 'pods' | 'runningPods' | UsageRoute }
  /** Spillway's own: what is known of a pod and intended with it. */
  | { readonly kind: 'explain'; readonly namespace: string; readonly pod: string }
  | { readonly kind: 'logs'; readonly namespace: string; readonly pod: string; readonly container: string }
  | {
      readonly kind: 'exec' | 'attach';
      readonly namespace: string;
      readonly pod: string;
      readonly uid?: string;
      readonly container: string;
    }
  | { readonly kind: 'portForward'; readonly namespace: string; readonly pod: string; readonly uid?: string }
  /** A path of the kubelet that does nothing here. */
  | { readonly kind: 'unsupported'; readonly what: string };

/** What pods use, in one form or another. */
export type UsageRoute = 'statsSummary' | 'resourceMetrics' | 'cadvisorMetrics' | 'probeMetrics';

export type Routing =
  /** Undefined: there is no such path. */
  | { readonly route: Route | undefined }
  /** The path exists, the method does not: the methods that do. */
  | { readonly allow: readonly string[] };

const unsupported: Readonly<Record<string, string>> = {
  run: 'the kubelet’s run command',
  checkpoint: 'checkpointing of containers',
  logs: 'logs of the node',
};

const methods: Readonly<Record<Exclude<Route['kind'], 'unsupported'>, readonly string[]>> = {
  healthz: ['GET', 'HEAD'],
  metrics: ['GET', 'HEAD'],
  statsSummary: ['GET', 'HEAD'],
  resourceMetrics: ['GET', 'HEAD'],
  cadvisorMetrics: ['GET', 'HEAD'],
  probeMetrics: ['GET', 'HEAD'],
  pods: ['GET', 'HEAD'],
  runningPods: ['GET', 'HEAD'],
  explain: ['GET'],
  logs: ['GET'],
  exec: ['GET', 'POST'],
  attach: ['GET', 'POST'],
  portForward: ['GET', 'POST'],
};

/** The segments of a path, decoded; none when it cannot be decoded. A slash at the end makes no difference. */
export function pathSegments(path: string): readonly string[] {
  try {
    return path
      .replace(/^\//, '')
      .replace(/\/$/, '')
      .split('/')
      .map((segment) => decodeURIComponent(segment));
  } catch {
    return [];
  }
}

export function routeOf(method: string, segments: readonly string[]): Routing {
  const route = findRoute(segments);
  if (route === undefined || route.kind === 'unsupported') return { route };
  const allow = methods[route.kind];
  return allow.includes(method) ? { route } : { allow };
}

function findRoute(segments: readonly string[]): Route | undefined {
  const [first = '', ...rest] = segments;
  if (segments.includes('')) return undefined;
  switch (first) {
    case 'healthz':
    case 'pods':
      return rest.length === 0 ? { kind: first } : undefined;
    case 'runningpods':
      return rest.length === 0 ? { kind: 'runningPods' } : undefined;
    case 'metrics':
      return metricsRoute(rest);
    case 'stats':
      return rest.length === 1 && rest[0] === 'summary' ? { kind: 'statsSummary' } : undefined;
    case 'explain':
      return explainRoute(rest);
    case 'containerLogs':
      return logsRoute(rest);
    case 'exec':
    case 'attach':
      return containerRoute(first, rest);
    case 'portForward':
      return portForwardRoute(rest);
    default: {
      const what = Object.hasOwn(unsupported, first) ? unsupported[first] : undefined;
      return what === undefined ? undefined : { kind: 'unsupported', what };
    }
  }
}

function metricsRoute([what, ...rest]: readonly string[]): Route | undefined {
  if (rest.length > 0) return undefined;
  switch (what) {
    case undefined:
      return { kind: 'metrics' };
    case 'resource':
      return { kind: 'resourceMetrics' };
    case 'cadvisor':
      return { kind: 'cadvisorMetrics' };
    case 'probes':
      return { kind: 'probeMetrics' };
    default:
      return undefined;
  }
}

function explainRoute([namespace, pod, ...rest]: readonly string[]): Route | undefined {
  if (namespace === undefined || pod === undefined || rest.length > 0) return undefined;
  return { kind: 'explain', namespace, pod };
}

function logsRoute([namespace, pod, container, ...rest]: readonly string[]): Route | undefined {
  if (namespace === undefined || pod === undefined || container === undefined || rest.length > 0) return undefined;
  return { kind: 'logs', namespace, pod, container };
}

function containerRoute(kind: 'exec' | 'attach', segments: readonly string[]): Route | undefined {
  const [namespace, pod, third, fourth, ...rest] = segments;
  if (namespace === undefined || pod === undefined || third === undefined || rest.length > 0) return undefined;
  if (fourth === undefined) return { kind, namespace, pod, container: third };
  return { kind, namespace, pod, uid: third, container: fourth };
}

function portForwardRoute([namespace, pod, uid, ...rest]: readonly string[]): Route | undefined {
  if (namespace === undefined || pod === undefined || rest.length > 0) return undefined;
  return { kind: 'portForward', namespace, pod, ...(uid === undefined ? {} : { uid }) };
}
