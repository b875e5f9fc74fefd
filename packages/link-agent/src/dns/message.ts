import dns from 'dns-packet';
import type { Answer, DecodedPacket, Packet, Question } from 'dns-packet';
import type { Resolved } from './resolver.ts';

const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/** A question that can be answered, or the answer that it is none; undefined: nobody waits for an answer. */
export type Query =
  | {
      readonly kind: 'question';
      readonly id: number;
      readonly question: Question;
      readonly flags: number;
      /** What the client takes over UDP, in bytes. */
      readonly udpBytes: number;
      readonly edns: boolean;
    }
  | { readonly kind: 'refused'; readonly answer: Buffer };

const leastUdpBytes = 512;
/** What fits into the loopback interface's packets is not the limit; what resolvers agree on is. */
const mostUdpBytes = 4096;

export function readQuery(message: Buffer): Query | undefined {
  if (message.length < 12) return undefined;
  const id = message.readUInt16BE(0);
  const flags = message.readUInt16BE(2);
  const isAnswer = (flags & 0x80_00) !== 0;
  if (isAnswer) return undefined;
  const refused = (rcode: keyof typeof rcodes): Query => ({
    kind: 'refused',
    answer: header(id, 0x80_00 | (flags & 0x79_00) | rcodes[rcode]),
  });
  if ((flags & 0x78_00) !== 0) return refused('NOTIMP');
  let packet: DecodedPacket;
  try {
    packet = dns.decode(message);
  } catch {
    return refused('FORMERR');
  }
  const [question, second] = packet.questions ?? [];
  if (question === undefined || second !== undefined) return refused('FORMERR');
  if (question.class !== undefined && question.class !== 'IN') return refused('REFUSED');
  const opt = packet.additionals?.find((each) => each.type === 'OPT');
  const asked = opt && 'udpPayloadSize' in opt && typeof opt.udpPayloadSize === 'number' ? opt.udpPayloadSize : 0;
  return {
    kind: 'question',
    id,
    question,
    flags,
    udpBytes: Math.min(Math.max(asked, leastUdpBytes), mostUdpBytes),
    edns: opt !== undefined,
  };
}

/**
 * The answer to a question, in at most so many bytes: what does not fit is left out, and the client told to ask again over TCP.
 */
export function writeAnswer(query: Extract<Query, { kind: 'question' }>, resolved: Resolved, maxBytes: number): Buffer {
  const { id, question, flags, edns } = query;
  const { rcode, answers, authorities = [], additionals = [] } = resolved;
  const packet = (some: readonly Answer[], extra: readonly Answer[], truncated: boolean): Packet => ({
    type: 'response',
    id,
    flags:
      (flags & dns.RECURSION_DESIRED) |
      (rcode === 'SERVFAIL' ? 0 : dns.AUTHORITATIVE_ANSWER) |
      (truncated ? dns.TRUNCATED_RESPONSE : 0) |
      rcodes[rcode],
    questions: [question],
    answers: [...some],
    authorities: [...authorities],
    additionals: [...extra, ...(edns ? [{ ...ownOptions }] : [])],
  });
  const whole = dns.encode(packet(answers, additionals, false));
  if (whole.length <= maxBytes) return whole;
  // Additional records can be left out without a word.
  const without = dns.encode(packet(answers, [], false));
  if (without.length <= maxBytes) return without;
  let [fits, tooMany] = [0, answers.length];
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (dns.encodingLength(packet(answers.slice(0, middle), [], true)) <= maxBytes) fits = middle;
    else tooMany = middle;
  }
  return dns.encode(packet(answers.slice(0, fits), [], true));
}

const ownOptions: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: mostUdpBytes,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

/** A query for another server. */
export function writeQuestion(id: number, question: Question): Buffer {
  return dns.encode({ type: 'query', id, flags: dns.RECURSION_DESIRED, questions: [question] });
}

/** Undefined: these bytes are no message. */
export function readAnswer(message: Buffer): DecodedPacket | undefined {
  try {
    return dns.decode(message);
  } catch {
    return undefined;
  }
}

/** To a message that cannot be answered otherwise. */
export function failure(message: Buffer): Buffer {
  return header(message.readUInt16BE(0), 0x80_00 | (message.readUInt16BE(2) & 0x01_00) | rcodes.SERVFAIL);
}

function header(id: number, flags: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(flags, 2);
  return bytes;
}
