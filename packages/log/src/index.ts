export type {
  AppendResult,
  AppendUnit,
  ChannelBatch,
  ChannelResult,
  ChannelState,
  ClaimChange,
  Fence,
  FenceResult,
} from './append.ts'
export { appendHeard, appendNewsChannel, type AppendNews, tellAppend } from './append-news.ts'
export type { ClaimRegister } from './claim-register.ts'
export type {
  ClaimedDigest,
  ClaimEntry,
  ClaimRebuild,
  ClaimStore,
  Contested,
  Page,
  RebuildStep,
  SwapResult,
} from './claim-store.ts'
export {
  appendOne,
  type Cursors,
  type EventLog,
  type KeyHistory,
  type ReadOptions,
  type Recorded,
  type Tip,
} from './event-log.ts'
export { createMemoryLog, type MemoryLog, type MemoryLogOptions } from './memory-log.ts'
export {
  beginning,
  compareIds,
  formatPosition,
  isStreamId,
  parsePosition,
  type Position,
  recordedMsOf,
  seqOf,
} from './position.ts'
export { type Encoded, prepare, prepareBatch, type Prepared } from './prepare.ts'
export { type RepeatBounds, repeatUnknown } from './repeat-unknown.ts'
export { checkFence, counterOf, identity } from './units.ts'
