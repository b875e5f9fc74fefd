import { type Cell, type Check, checks, type NetworkReport, type Side, sides } from '../diagnosis/network/view.ts';
import { type Colour, coloured } from './output.ts';
import { fields, table } from './table.ts';

const checkNames: Readonly<Record<Check, string>> = {
  podTcp: 'pod address, TCP',
  podUdp: 'pod address, UDP',
  name: 'name of a Service',
  serviceTcp: 'Service, TCP',
  serviceUdp: 'Service, UDP',
  transfer: 'Service, large transfer',
  endpoints: 'Service, endpoints change',
  apiServer: 'API server',
};
const sideNames: Readonly<Record<Side, string>> = { cluster: 'the cluster', burst: 'the burst pod' };
const colours: Readonly<Record<Cell['state'], Colour>> = { ok: 'green', failed: 'red', skipped: 'dim' };

/** A matrix, and below it each reason once. */
export function renderNetwork(report: NetworkReport): string {
  const { node, interconnect, cells, findings } = report;
  const cell = (check: Check, from: Side): string => {
    const found = cells.find((each) => each.check === check && each.from === from);
    if (found === undefined || found.state === 'skipped') return coloured('dim', '-');
    return `${coloured(colours[found.state], found.state)}  ${found.text}`;
  };
  const matrix = table(
    ['CHECK', 'FROM THE CLUSTER', 'FROM THE BURST POD'],
    checks.map((check) => [checkNames[check], cell(check, 'cluster'), cell(check, 'burst')]),
  );
  const failed = sides.flatMap((from) =>
    reasonsOf(
      cells.filter((each) => each.from === from),
      from,
    ),
  );
  const more = findings.map(({ code, message, remedy }) => block(code, message, remedy));
  const head = `Node ${node}, interconnect: ${interconnect}\n\n`;
  return [head + matrix, ...more, ...failed].join('\n');
}

function reasonsOf(cells: readonly Cell[], from: Side): string[] {
  const byReason = Map.groupBy(
    cells.filter(({ state }) => state === 'failed'),
    ({ code, message }) => `${code} ${message}`,
  );
  return [...byReason.values()].map((same) => {
    const [{ code = '', message = '', remedy = '' } = {}] = same;
    const which = same.map(({ check }) => checkNames[check]).join('; ');
    return block(`${code}: from ${sideNames[from]}: ${which}`, message, remedy);
  });
}

function block(head: string, message: string, remedy: string): string {
  return `${coloured('red', 'error')} ${head}\n${fields([
    ['  what', message],
    ['  remedy', remedy],
  ])}`;
}
