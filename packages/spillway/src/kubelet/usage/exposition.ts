import { setImmediate } from 'node:timers/promises';

/** One metric with all its series, in the text format of Prometheus. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** In the order in which they are written. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Absent: now. */
  readonly atMs?: number;
}

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

const chunkLength = 64 * 1024;

/** In pieces, between which others get their turn: ten thousand pods are some ten megabytes. */
export async function* exposition(families: Iterable<Family>): AsyncGenerator<string, void, undefined> {
  let text = '';
  for (const { name, help, type, samples } of families) {
    let head = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const { labels, value, atMs } of samples) {
      text += `${head}${name}${labelSet(labels)} ${value}${atMs === undefined ? '' : ` ${atMs}`}\n`;
      head = '';
      if (text.length < chunkLength) continue;
      yield text;
      text = '';
      await setImmediate();
    }
  }
  yield text;
}

function labelSet(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`).replaceAll('\n', String.raw`\n`);
}
