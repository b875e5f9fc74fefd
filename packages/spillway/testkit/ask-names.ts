// Asks a name server: node ask-names.ts ADDRESS '[{"name":…,"type":…},…]'. Prints the answers, one line of JSON.
import { Upstream } from '../../link-agent/src/dns/upstream.ts';

/** What a name server says to a question, without what differs each time. */
export interface Said {
  readonly rcode: string;
  readonly answers: readonly string[];
  readonly additionals: readonly string[];
}

const [address = '', text = '[]'] = process.argv.slice(2);
const questions: readonly { readonly name: string; readonly type: 'A' }[] = JSON.parse(text);
const upstream = new Upstream({ servers: () => [address], timeoutMs: 5000 });

const written = (record: object): string => {
  const { type, name, data } = { type: '', name: '', data: '', ...record };
  return `${name} ${type} ${typeof data === 'string' ? data : JSON.stringify(data)}`;
};
const isSaid = ({ type }: { readonly type: string }): boolean => type !== 'OPT';

const said: Said[] = [];
for (const question of questions) {
  const packet = await upstream.ask(question);
  said.push({
    rcode: packet === undefined ? 'none' : String(Reflect.get(packet, 'rcode')),
    answers: (packet?.answers ?? []).map(written).toSorted(),
    additionals: (packet?.additionals ?? []).filter(isSaid).map(written).toSorted(),
  });
}
process.stdout.write(`${JSON.stringify(said)}\n`);
