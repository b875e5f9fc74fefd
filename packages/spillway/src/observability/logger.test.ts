import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';

function logged(write: (logger: ReturnType<typeof createLogger>) => void, level: 'debug' | 'info' = 'info'): unknown[] {
  const lines: string[] = [];
  write(createLogger({ level, destination: { write: (line: string) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as unknown);
}

describe('the log', () => {
  it('is JSON with the level as a word and the time for people', () => {
    expect(logged((logger) => logger.info({ pod: 'default/a' }, 'started'))).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        pod: 'default/a',
        msg: 'started',
      },
    ]);
  });

  it('never shows tokens, passwords or keys, wherever they stand', () => {
    const secret = 'x7-very-secret';
    const lines = logged((logger) => {
      logger.info({ token: secret, a: { password: secret, b: { authorization: secret } } }, 'request');
      logger
        .child({ credentials: { secretKey: secret } })
        .info({ registryCredentials: [{ password: secret }] }, 'pull');
    });
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toContain(secret);
  });

  it('tells the whole chain of causes on one line, without a stack for expected failures', () => {
    const error = new Error('cannot reach the API server', { cause: new Error('connect ECONNREFUSED 10.0.0.1:6443') });
    expect(logged((logger) => logger.warn({ err: error }, 'retrying'))).toMatchObject([
      { err: { type: 'Error', message: 'cannot reach the API server: connect ECONNREFUSED 10.0.0.1:6443' } },
    ]);
    expect(JSON.stringify(logged((logger) => logger.warn({ err: error }, 'retrying')))).not.toContain('.test.ts');
  });

  it('shows the stack of a defect', () => {
    expect(JSON.stringify(logged((logger) => logger.error({ err: new TypeError('x is undefined') }, 'bug')))).toContain(
      'logger.test.ts',
    );
  });

  it('leaves out what is less important than the configured level', () => {
    expect(logged((logger) => logger.debug({}, 'detail'))).toEqual([]);
    expect(logged((logger) => logger.debug({}, 'detail'), 'debug')).toHaveLength(1);
  });
});
