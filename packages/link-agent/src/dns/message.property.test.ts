import dns from 'dns-packet';
import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { readAnswer, readQuery, writeAnswer } from './message.ts';
import type { Resolved } from './resolver.ts';

const question = { name: 'db.shop.svc.cluster.local', type: 'A', class: 'IN' } as const;
const written = (more: object = {}): Buffer =>
  dns.encode({ type: 'query', id: 7, flags: dns.RECURSION_DESIRED, questions: [question], ...more });

function queryIn(message: Buffer): Extract<ReturnType<typeof readQuery>, { kind: 'question' }> {
  const query = readQuery(message);
  if (query?.kind !== 'question') throw new Error(`no question: ${query?.kind}`);
  return query;
}

const many = (count: number): Resolved => ({
  rcode: 'NOERROR',
  answers: Array.from({ length: count }, (_, index) => ({
    type: 'A' as const,
    name: question.name,
    ttl: 5,
    data: `10.0.${index >> 8}.${index & 255}`,
  })),
});

describe('whatever comes as a message', () => {
  test('is read or refused, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const query = readQuery(Buffer.from(bytes));
        if (query?.kind === 'refused') expect(query.answer).toHaveLength(12);
        readAnswer(Buffer.from(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  test('also when it was a message once, and some bytes have changed', () => {
    const message = dns.encode({
      type: 'query',
      id: 7,
      questions: [question],
      answers: many(3).answers.slice(),
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 1232,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    });
    const changes = fc.array(fc.tuple(fc.nat(message.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(changes, fc.nat(message.length), (list, length) => {
        const changed = Buffer.from(message.subarray(0, length));
        for (const [at, byte] of list) if (at < changed.length) changed[at] = byte;
        const query = readQuery(changed);
        readAnswer(changed);
        if (query?.kind === 'question') {
          // Names that can be read and not written are answered with a failure by the server.
          try {
            expect(writeAnswer(query, many(100), query.udpBytes).length).toBeLessThanOrEqual(4096);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        }
      }),
      { numRuns: 5000 },
    );
  });

  test('names that point to themselves end', () => {
    const loop = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]);
    expect(readQuery(loop)).toMatchObject({ kind: 'refused' });
  });
});

describe('an answer', () => {
  test('that is too long for the client over UDP is cut, and says so; over TCP it is whole', () => {
    const query = queryIn(written());
    const cut = dns.decode(writeAnswer(query, many(100), query.udpBytes));
    expect(cut).toMatchObject({ id: 7, flag_tc: true, flag_aa: true, flag_rd: true });
    expect(cut.answers?.length).toBeGreaterThan(5);
    expect(writeAnswer(query, many(100), 512).length).toBeLessThanOrEqual(512);
    const whole = dns.decode(writeAnswer(query, many(100), 65_535));
    expect([whole.flag_tc, whole.answers?.length]).toEqual([false, 100]);
  });

  test('may be as long as the client says', () => {
    const opt = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 4096,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    } as const;
    const query = queryIn(written({ additionals: [opt] }));
    const answer = dns.decode(writeAnswer(query, many(60), query.udpBytes));
    expect([answer.flag_tc, answer.answers?.length]).toEqual([false, 60]);
    expect(answer.additionals).toMatchObject([{ type: 'OPT' }]);
  });

  test('never exceeds what was asked for, however much there is', () => {
    fc.assert(
      fc.property(fc.nat(400), fc.integer({ min: 512, max: 4096 }), (count, bytes) => {
        expect(writeAnswer(queryIn(written()), many(count), bytes).length).toBeLessThanOrEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });
});

test('other operations, and several questions at once, are refused as the standard says', () => {
  const status = Buffer.from(written());
  status.writeUInt16BE(0x10_00, 2);
  expect(readQuery(status)).toMatchObject({ kind: 'refused' });
  expect(readQuery(written({ questions: [question, question] }))).toMatchObject({ kind: 'refused' });
  expect(readQuery(written({ questions: [] }))).toMatchObject({ kind: 'refused' });
});

test('answers are not answered', () => {
  expect(readQuery(dns.encode({ type: 'response', id: 1, questions: [question] }))).toBeUndefined();
});
