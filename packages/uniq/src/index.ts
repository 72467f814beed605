export { type Address, type AddressResult, parseAddress } from './address.ts'
export { claimsOfEvent } from './claims-of-event.ts'
export {
  actionOn,
  type Constraint,
  type ConstraintAction,
  type Constraints,
  readConstraints,
} from './constraints.ts'
export { createKeyring, type DigestKey, type Keyring, readKeyring } from './keyring.ts'
export { normaliserAt, type Normaliser, type Normalisers, normalisers } from './normalise.ts'
export { createUniq, guardedLog, type Uniq, type UniqOptions } from './uniq.ts'
export { type Holding, type Undigested } from './claims-of-log.ts'
export {
  gateMs,
  rebuildClaims,
  type RebuildOptions,
  type RebuildProgress,
  type RebuildReport,
} from './rebuild.ts'
export { type ClaimDifference, verifyClaims, type VerifyOptions, type VerifyReport } from './verify.ts'
