export type {
  Change,
  ChangeContext,
  ChangeKind,
  ChunkRequest,
  PrimaryKey,
  Reached,
  Row,
  SnapshotChunk,
  SnapshotRow,
  StreamItem,
  TransactionPart,
} from './change.ts'
export type { ChangeSource, ChangeStream, InitialSnapshot, Prepared, SourceLag } from './change-source.ts'
export type { ChangePlace, MappedEvent, Mapping, SnapshotOfRow } from './mapping.ts'
export { createMemoryPipelineStore } from './memory-pipeline-store.ts'
export { type ChangeDraft, createMemorySource, MemoryDatabase, MemorySlot } from './memory-source.ts'
export { type OutboxColumns, outboxMapping } from './outbox-mapping.ts'
export { createPipeline, type Pipeline } from './pipeline.ts'
export type { PipelineOptions } from './pipeline-options.ts'
export { streamChannel } from './pipeline-session.ts'
export type { PipelineState, PipelineStatus, SnapshotProgress } from './pipeline-status.ts'
export {
  type LeaseAnswer,
  type LeaseRequest,
  pipelineName,
  type PipelineOrders,
  type PipelineRecord,
  type PipelineStore,
} from './pipeline-store.ts'
export { compareMarks, formatMark, parseMark, type ResumeMark } from './resume-mark.ts'
export { snapshotChannel } from './snapshot-lines.ts'
export { type TableEvents, tableMapping, type TableMappingOptions, typesOfTable } from './table-mapping.ts'
