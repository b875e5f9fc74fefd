import { expect, test } from 'vitest';
import { mappedClaims, supportOfMapped } from './mapped-claims.ts';

const mapping = { 'shop/data': 'their-data' };
const owner = { clusterId: 'home', nodeName: 'virtual' };

test.each([
  ['shop', 'data', 'their-data'],
  ['other', 'data', undefined],
  ['shop', 'data-0', undefined],
])('the claim %s/%s is %s in the other cluster, and refused if it is nothing', (namespace, name, claimName) => {
  const claim = { namespace, name };
  const mount = mappedClaims(mapping).mountOf({ ...claim, claim: {}, volume: {} }, owner);
  expect(mount).toEqual(claimName === undefined ? undefined : { claimName, folder: '' });
  expect(supportOfMapped(mapping).claims?.has(`${namespace}/${name}`)).toBe(claimName !== undefined);
});
