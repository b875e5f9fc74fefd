import { Command } from 'commander';
import { expect, it } from 'vitest';
import { type OptionalPackage, withPackage } from './optional-package.ts';
import { toldOf } from './told.ts';

class Known extends Error {}

/** What `spillway dev up` says and ends with. */
async function outcome(
  load: OptionalPackage<object>['load'],
  work: () => Promise<void> = async () => {},
): Promise<{ said: string; code: number | undefined }> {
  const withExample = withPackage({
    name: '@example/clusters',
    load,
    exitCodeOf: (error) => (error instanceof Known ? 2 : undefined),
  });
  const up = new Command('dev').command('up');
  return await withExample(up, work).then(
    () => ({ said: '', code: 0 }),
    (error: unknown) => {
      const told = toldOf(error);
      return { said: told?.text ?? '', code: told?.exitCode };
    },
  );
}

it('a package that is missing is named, with how to get it', async () => {
  const missing = Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' });
  const { said, code } = await outcome(() => Promise.reject(missing));
  expect(said).toBe('"spillway dev" needs the package @example/clusters: npm install @example/clusters');
  expect(code).toBe(1);
});

it('what a package says for people is said in one line', async () => {
  expect(
    await outcome(
      async () => ({}),
      () => Promise.reject(new Known('no room')),
    ),
  ).toEqual({
    said: 'no room',
    code: 2,
  });
});

it('a defect is not hidden', async () => {
  expect(
    await outcome(
      async () => ({}),
      () => Promise.reject(new TypeError('defect')),
    ),
  ).toEqual({
    said: '',
    code: undefined,
  });
});
