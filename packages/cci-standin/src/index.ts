export type { AccessKey, Account, Agency, Identity, Named, User } from './accounts.ts';
export { randomAccessKey, randomAccount } from './accounts.ts';
export { downRegion, statusOfRegion, upRegion, type UpRegionOptions } from './detached/detached.ts';
export type { RegionFactSheet } from './detached/facts.ts';
export { RegionError } from './errors.ts';
export { errorCodes, type ErrorCode } from './refusal.ts';
export { startRegion, type Region, type RegionOptions } from './region.ts';
export type { RuleOptions } from './rules/call.ts';
