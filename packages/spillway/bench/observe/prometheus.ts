export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of one metric in a page of the Prometheus text format. */
export function parseMetrics(page: string, name: string): Sample[] {
  const samples: Sample[] = [];
  for (const [, labels = '', value] of page.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))) {
    const pairs = labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
    samples.push({
      labels: Object.fromEntries(Array.from(pairs, ([, key = '', text = '']) => [key, text])),
      value: Number(value),
    });
  }
  return samples;
}
