/** What metrics-server knows of a container at a moment. */
interface Point {
  readonly startMs: number;
  readonly atMs: number;
  readonly seconds: number;
  readonly bytes: number;
}

type Pods = Map<string, Map<string, Point>>;

export interface ContainerMetrics {
  readonly cores: number;
  readonly bytes: number;
}

const freshMs = 10_000;

/**
 * What metrics-server makes of scrapes of one node: pkg/scraper/client/resource/decode.go and pkg/storage of its version 0.9. A
 * pod of which something is missing or zero is not known to it, and a rate takes two points of the same run.
 */
export class MetricsServer {
  readonly #resolutionMs: number;
  #last: Pods = new Map();
  #previous: Pods = new Map();

  constructor({ resolutionMs }: { readonly resolutionMs: number }) {
    this.#resolutionMs = resolutionMs;
  }

  scrape(text: string): void {
    const last = podsIn(text);
    const previous: Pods = new Map();
    for (const [pod, containers] of last) {
      const before = new Map<string, Point>();
      for (const [name, point] of containers) {
        const known = this.#last.get(pod)?.get(name);
        const older = this.#previous.get(pod)?.get(name);
        const ageMs = point.atMs - point.startMs;
        if (ageMs < this.#resolutionMs && ageMs >= freshMs)
          before.set(name, { ...point, atMs: point.startMs, seconds: 0 });
        else if (known !== undefined && point.startMs < known.atMs) {
          if (point.atMs > known.atMs) before.set(name, known);
          else if (older !== undefined && older.atMs < point.atMs) before.set(name, older);
        }
      }
      if (before.size > 0) previous.set(pod, before);
    }
    this.#last = last;
    this.#previous = previous;
  }

  /** Of a pod, by container; undefined: it is not known. */
  pod(namespace: string, name: string): ReadonlyMap<string, ContainerMetrics> | undefined {
    const last = this.#last.get(`${namespace}/${name}`);
    const previous = this.#previous.get(`${namespace}/${name}`);
    if (last === undefined || previous === undefined) return undefined;
    const metrics = new Map<string, ContainerMetrics>();
    for (const [container, point] of last) {
      const before = previous.get(container);
      if (before === undefined) return undefined;
      if (point.seconds < before.seconds) continue;
      const cores = (point.seconds - before.seconds) / ((point.atMs - before.atMs) / 1000);
      metrics.set(container, { cores, bytes: point.bytes });
    }
    return metrics;
  }
}

const fields: Readonly<Record<string, (value: number, atMs: number) => Partial<Point>>> = {
  container_cpu_usage_seconds_total: (seconds, atMs) => ({ seconds, atMs }),
  container_memory_working_set_bytes: (bytes, atMs) => ({ bytes, atMs }),
  container_start_time_seconds: (seconds) => ({ startMs: seconds * 1000 }),
};

function podsIn(text: string): Pods {
  const pods: Pods = new Map();
  for (const line of text.split('\n')) {
    const [, name = '', labels = '', value, atMs] = /^(\w+)\{(.*)\} (\S+)(?: (\d+))?$/.exec(line) ?? [];
    const label = (key: string): string => new RegExp(`(?:^|,)${key}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const field = fields[name];
    if (field === undefined) continue;
    const pod = `${label('namespace')}/${label('pod')}`;
    const containers = pods.get(pod) ?? new Map<string, Point>();
    const known = containers.get(label('container')) ?? { startMs: 0, atMs: 0, seconds: 0, bytes: 0 };
    pods.set(pod, containers.set(label('container'), { ...known, ...field(Number(value), Number(atMs)) }));
  }
  for (const [pod, containers] of pods) {
    const isWhole = [...containers.values()].every(({ seconds, bytes }) => Math.floor(seconds * 1e9) > 0 && bytes > 0);
    if (!isWhole) pods.delete(pod);
  }
  return pods;
}
