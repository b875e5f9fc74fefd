import type { Leak, LeaksReport } from '../removal/leaks.ts';
import { coloured } from './output.ts';
import { linesOf, leftLine, section } from './render-removal.ts';
import { nothing, plus } from '../podspec/sizing/size.ts';
import { sizeText } from '../podspec/sizing/shown.ts';
import { millis, nanoOf, units } from '../podspec/quantities.ts';
import { table } from './table.ts';

export function renderLeaks({ leaks, unseen, removed, remains, others }: LeaksReport): string {
  const places = Map.groupBy(leaks, ({ place }) => place);
  const found = Array.from(places, ([place, there]) => `${coloured('bold', place)}\n${tableOf(there)}`);
  const parts = [
    ...(found.length === 0 ? ['Nothing was found.\n'] : found),
    section('Not looked at', 'red', unseen),
    section('Removed', 'bold', linesOf(removed)),
    section('Left alone', 'dim', others.map(leftLine)),
    section('Remains', 'red', remains.map(leftLine)),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function tableOf(leaks: readonly Leak[]): string {
  const headings = ['CLUSTER', 'ALIVE', 'NAMESPACE', 'MARKS', 'RUNNING', 'SIZE', 'ENDED', 'SINCE'];
  return table(
    headings,
    leaks.map(({ clusterId, living, namespace, by, instances, since = '' }) => {
      const running = instances.filter(({ ended }) => !ended);
      const size = running
        .map(({ cpu, memory }) => ({ milliCpu: millis(nanoOf(cpu)), memoryBytes: units(nanoOf(memory)) }))
        .reduce(plus, nothing);
      const ended = instances.length - running.length;
      return [clusterId, living, namespace, by, String(running.length), sizeText(size), String(ended), since];
    }),
  );
}
