import { Command } from 'commander';
import { expect, it } from 'vitest';
import { type OptionalPackage, withPackage } from './optional-package.ts';

class Known extends Error {}

/** What `spillway dev up` says and ends with. */
async function outcome(
  load: OptionalPackage<object>['load'],
  work: () => Promise<void> = async () => {},
): Promise<{ said: string; code: unknown }> {
  const withExample = withPackage({
    name: '@example/clusters',
    load,
    isForPeople: (error): error is Known => error instanceof Known,
  });
  let said = '';
  const up = new Command('dev').command('up');
  up.exitOverride().configureOutput({ writeErr: (text) => void (said += text) });
  const code = await withExample(up, work).then(
    () => 0,
    (error: unknown) => Reflect.get(Object(error), 'exitCode'),
  );
  return { said, code };
}

it('a package that is missing is named, with how to get it', async () => {
  const missing = Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' });
  const { said, code } = await outcome(() => Promise.reject(missing));
  expect(said).toBe('error: "spillway dev" needs the package @example/clusters: npm install @example/clusters\n');
  expect(code).toBe(1);
});

it('what a package says for people is said in one line', async () => {
  expect(
    await outcome(
      async () => ({}),
      () => Promise.reject(new Known('no room')),
    ),
  ).toEqual({
    said: 'error: no room\n',
    code: 1,
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
