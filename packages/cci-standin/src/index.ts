export type { AccessKey, Account, Agency, Identity, Named, User } from './accounts.ts';
export { randomAccessKey, randomAccount } from './accounts.ts';
export { startRegion, type Region, type RegionOptions } from './region.ts';
export type { RuleOptions } from './rules/call.ts';
