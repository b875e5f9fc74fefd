import { expect, test } from 'vitest';
import { randomAccount, type Account } from '../accounts.ts';
import { MovableClock } from '../testing/movable-clock.ts';
import { Tokens } from './tokens.ts';

const clock = new MovableClock();
const ours = randomAccount('cn-north-4');
const theirs: Account = {
  ...randomAccount('cn-north-4'),
  agencies: [{ name: 'helper', trustedDomain: ours.domain.name }],
};
const tokens = new Tokens([ours, theirs], clock);

function byPassword(
  account: Account,
  password = account.users[0]?.password,
  project: object = account.project,
): object {
  const user = { name: account.users[0]?.name, password, domain: { name: account.domain.name } };
  return { auth: { identity: { methods: ['password'], password: { user } }, scope: { project } } };
}

function byAgency(agency: string): object {
  const role = { domain_name: theirs.domain.name, agency_name: agency };
  return { auth: { identity: { methods: ['assume_role'], assume_role: role }, scope: { project: theirs.project } } };
}

function issue(body: object, caller?: Parameters<Tokens['issue']>[1]): string {
  const issued = tokens.issue(body, caller);
  if ('from' in issued) throw new Error(issued.message);
  return issued.token;
}

test('a password gets a token of one project for 24 hours', () => {
  const token = issue(byPassword(ours));
  expect(tokens.identityOf(token)).toMatchObject({ project: ours.project, user: { name: ours.users[0]?.name } });
  clock.moveOn(24 * 3_600_000);
  expect(tokens.identityOf(token)).toBeUndefined();
});

test('a wrong password, a stranger, another project or no project get none', () => {
  expect(tokens.issue(byPassword(ours, 'wrong'), undefined)).toMatchObject({ status: 401 });
  expect(tokens.issue(byPassword(randomAccount('cn-north-4')), undefined)).toMatchObject({ status: 401 });
  expect(tokens.issue(byPassword(ours, undefined, { name: 'eu-de' }), undefined)).toMatchObject({ status: 401 });
  expect(tokens.issue(byPassword(ours, undefined, {}), undefined)).toMatchObject({ status: 401 });
  expect(tokens.issue({}, undefined)).toMatchObject({ status: 400 });
});

test('an agency is taken on by those whom it trusts', () => {
  const caller = tokens.identityOf(issue(byPassword(ours)));
  expect(tokens.identityOf(issue(byAgency('helper'), caller))).toMatchObject({ project: theirs.project });
  expect(tokens.issue(byAgency('helper'), undefined)).toMatchObject({ status: 401 });
  expect(tokens.issue(byAgency('other'), caller)).toMatchObject({ status: 403 });
  expect(tokens.issue(byAgency('helper'), tokens.identityOf(issue(byPassword(theirs))))).toMatchObject({ status: 403 });
});

test('revoked tokens are unknown', () => {
  const token = issue(byPassword(ours));
  tokens.revokeAll();
  expect(tokens.identityOf(token)).toBeUndefined();
});
