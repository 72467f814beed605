export {
  type Checkpoint,
  type Checkpoints,
  later,
  newTo,
  nothingApplied,
  takenElsewhere,
} from './checkpoint.ts'
export { CheckpointWatch, type CheckpointWatchOptions } from './checkpoint-watch.ts'
export { createMemoryViewStore, type MemoryViewStoreOptions } from './memory-view-store.ts'
export { type RebuildOptions, type RebuildProgress, type RebuildResult, rebuildView } from './rebuild-view.ts'
export { type Fold, type Folding, foldNew, type View } from './view.ts'
export { type TakenPartition, ViewWriter, type ViewWriterOptions } from './view-writer.ts'
export type { Building, Generation, Held, Moved, ViewStore } from './view-store.ts'
