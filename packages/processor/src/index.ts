export type { CommitFigures, Lengths, OutcomeCount } from './commit-figures.ts'
export { consumerChannel, type ConsumerEvent, type ConsumerNews, type EndReason } from './consumer-event.ts'
export type { ConsumerHealth, PartitionHealth } from './consumer-health.ts'
export type { Gate } from './consumer-settings.ts'
export { type Commit, type CommitFault, commitRefused, type CommitResult } from './commit.ts'
export { checkCommit, commitBounds, separators } from './check-commit.ts'
export type { AuditDifference } from './audit/audit-difference.ts'
export {
  type AuditOptions,
  auditPartition,
  type AuditParts,
  type GroupJobs,
} from './audit/audit-partition.ts'
export { checkEffectChanges } from './check-effect-changes.ts'
export { checkEffectRule } from './check-effect-rule.ts'
export { checkRule, digestOfData } from './check-rule.ts'
export {
  type DeadCount,
  type DeadCounts,
  type DeadFacts,
  type DeadFilter,
  type DeadItem,
  deadItemOf,
  deadPlace,
  fits,
  heldItemOf,
} from './dead-item.ts'
export { deadEffectOf, deadEffectPlace, effectFits } from './dead-effect.ts'
export type { DeadLetter } from './dead-letter.ts'
export type { DeferredEvent, DeferredList } from './deferred-event.ts'
export type {
  EffectChange,
  EffectChangeResult,
  EffectLedger,
  EffectRuling,
  EffectToRecord,
  OpenEffect,
  RecordedEffect,
} from './effect-ledger.ts'
export {
  type DeadEffect,
  type EffectFilter,
  type EffectRepairs,
  type EffectRuleRequest,
  type EffectRuleResult,
  mostPassed,
} from './effect-repairs.ts'
export { type EngineBounds, engineBounds } from './engine/engine-settings.ts'
export type { EffectNews } from './engine/effect-news.ts'
export { type BeginHealth, type BeginOptions, type StartPoint } from './engine/group-beginning.ts'
export type { DeadLimit } from './engine/dead-brake.ts'
export { run, type Running, type RunOptions } from './engine/run.ts'
export { type FailureKind, kindOfFailure } from './failure-kind.ts'
export { followView, type FollowViewOptions } from './follow-view.ts'
export { Forwarder, type ForwarderOwner, type ForwarderSettings } from './forwarder.ts'
export {
  type AuditFinding,
  auditOf,
  type EffectCounts,
  type EventCounts,
  type GroupAudit,
  type GroupCounters,
  type GroupStructures,
} from './group-audit.ts'
export {
  assertGroupName,
  type GroupPartition,
  type GroupStart,
  type GroupState,
  type GroupStore,
  type Lease,
  type PageOptions,
  type Reached,
  type Renewal,
  type StoredKey,
} from './group-store.ts'
export type { DueTimers, Firing, JournalledFiring, KeyTimer, TimerSetting } from './key-timer.ts'
export {
  type Assignment,
  type Heartbeat,
  type ListedMember,
  type MemberGroup,
  type MemberList,
  type MembersView,
  mostMembers,
  silentKeptMs,
} from './members/member-list.ts'
export type { MemberNews } from './members/member-news.ts'
export type { MemberState } from './members/member-state.ts'
export type { MemberHealth, MembersHealth } from './members/members-health.ts'
export type { KeptElsewhere, TakenLease } from './kept-elsewhere.ts'
export type { AsOf, MigratedKey } from './migrated-key.ts'
export { createMemoryMemberList, type MemoryMemberListOptions } from './members/memory-member-list.ts'
export { createMemoryGroupStore, type MemoryGroupStoreOptions } from './memory-group-store.ts'
export {
  channelOf,
  draftOutbox,
  type Emitted,
  type Outbox,
  outboxBounds,
  type OutboxDraft,
  type OutboxEntry,
} from './outbox.ts'
export {
  type LineGrowth,
  mostTries,
  type Park,
  type ParkedKey,
  type ParkNote,
  type ParkTry,
  type Unpark,
} from './parked-key.ts'
export type { DueAnswer, DueBy } from '@millrace/retry'
export type { DueKey, HeededRuling, JournalledLateRun, LateRun, RequeuedEvent, Ruling } from './ruling.ts'
export type {
  MendPart,
  MendRequest,
  MendResult,
  Overtaken,
  RepairEntry,
  Repairs,
  RuledOn,
  RuleRequest,
  RuleResult,
} from './repairs.ts'
export {
  assertBuilding,
  type Building,
  type FreezeResult,
  type Generations,
  type GenerationStore,
  type StateOfKey,
  type SwitchResult,
} from './replay/generations.ts'
export {
  type EffectAction,
  type EffectOutcome,
  EffectRepairer,
  type EffectRepairerParts,
} from './repair/effect-repairer.ts'
export { type EffectNote, effectNoteOf } from './engine/waiting-effect.ts'
export { httpSource, type HttpSourceOptions } from './repair/http-source.ts'
export type { RepairAction, RepairOrder, RepairOutcome } from './repair/repair-action.ts'
export { repairChannel, type RepairNews } from './repair/repair-news.ts'
export { Repairer, type RepairerParts, type RepairTarget, targetOfItem } from './repair/repairer.ts'
export type { PresentState, SourceOfTruth, SourcesOfTruth } from './repair/source-of-truth.ts'
export type { GenerationDifferences, KeyDifference } from './replay/compare-generations.ts'
export type { EmitCounts } from './replay/emit-comparison.ts'
export type { JsonDifference } from './replay/json-difference.ts'
export {
  dropReplay,
  replay,
  type ReplayOptions,
  type ReplayProgress,
  type ReplayReport,
} from './replay/replay.ts'
export { type ReplayBounds, replayBounds } from './replay/replay-settings.ts'
export type { OwnDecision } from './replay/settled-meanwhile.ts'
export { type LedEvent, stateAt, type StateAtOptions, type StateThen } from './replay/state-at.ts'
export { assertTakesChannels } from './takes-channels.ts'
export type { FieldDifference, ShadowDifference } from './shadow/compare-key.ts'
export { type CompareOptions, compareShadow, type ShadowReport } from './shadow/compare-shadow.ts'
export { type DropOptions, type DropReport, dropStates } from './shadow/drop-states.ts'
export { droppedRecord, isDropped } from './shadow/dropped-mark.ts'
export { type PresentOf, type ReadOptions, readState } from './shadow/read-state.ts'
export { shadowChannel, type ShadowNews } from './shadow/shadow-news.ts'
export { type ShadowWatching, watchShadow, type WatchOptions } from './shadow/watch-shadow.ts'
export { isPromoted, mostShadowKeys, type ShadowRecord, shareOf } from './shadow/shadow-record.ts'
export {
  checkOrdered,
  type Ordered,
  type ShadowChange,
  type ShadowStore,
  type StateDrop,
  type StateDropResult,
  type WithheldEffect,
  type WithheldRequest,
  type WithheldResult,
} from './shadow/shadow-store.ts'
export type { StateChange, StateRemoval, StateWrite, StoredState } from './stored-state.ts'
export { createMemoryStoryIndex } from './story/memory-story-index.ts'
export {
  type Correlated,
  type IndexBatch,
  indexBounds,
  type IndexedEvent,
  type RequestFact,
  type StoryIndex,
} from './story/story-index.ts'
export { Explainer, type ExplainerOptions } from './story/explainer.ts'
export {
  mostStoryEvents,
  type Standing,
  type Story,
  type StoryAsked,
  type StoryEntry,
} from './story/story.ts'
export { type FollowerHealth, StoryFollower, type StoryFollowerOptions } from './story/story-follower.ts'
export { type StoryLine, storyText, type StoryText } from './story/story-lines.ts'
export type { StoryGroup } from './story/story-of-events.ts'
export { checkAsked, checkFacts } from './story/check-story.ts'
export type { Stories } from './story/stories.ts'
export {
  type NotedFact,
  type SettledMark,
  type SettledSpan,
  storyBounds,
  type StoryFact,
  type StoryNote,
} from './story/story-fact.ts'
export { createLane } from './lane/create-lane.ts'
export { Delivery } from './lane/delivery.ts'
export type { Lane, LaneHooks, LaneOptions } from './lane/lane.ts'
export { systemTimers, type Timers } from './lane/timers.ts'
export type { DraftOf, DraftsOf } from './model/draft.ts'
export { type AnyEffect, defineEffect, type EffectContext, type EffectDefinition } from './model/effect.ts'
export type {
  FirstTouch,
  FirstTouchOptions,
  ForeignLoad,
  ForeignState,
  TouchContext,
} from './model/first-touch.ts'
export type { Handler, HandlerContext } from './model/handler.ts'
export {
  type Cause,
  decodeRecord,
  emptyRecord,
  encodeRecord,
  type KeptTimer,
  type KeyRecord,
  type OperatorMemory,
  type StoredRecord,
} from './model/key-record.ts'
export type { InState, LaneEvent, StateOf } from './model/lane-event.ts'
export type { DueTimer, EffectIntent, Emit, Outcome, TimerChange } from './model/outcome.ts'
export {
  type EventNamed,
  type HandlerOptions,
  type OnExhausted,
  type OnUnmet,
  type Pipeline,
  type PipelineOptions,
  type Processor,
  processor,
  type Program,
  type TypeNameOf,
} from './model/processor.ts'
export type { Comparison, ShadowOptions } from './model/shadow.ts'
export { type Migration, state, type StateDefinition, type StateOptions } from './model/state.ts'
export { bufferCount } from './operators/buffer-count.ts'
export { bufferTime } from './operators/buffer-time.ts'
export { concatMap } from './operators/concat-map.ts'
export { dead } from './operators/dead.ts'
export { debounceTime } from './operators/debounce-time.ts'
export { defer } from './operators/defer.ts'
export { delay } from './operators/delay.ts'
export { durableDebounce } from './operators/durable-debounce.ts'
export { durableDelay } from './operators/durable-delay.ts'
export { effect } from './operators/effect.ts'
export { emit } from './operators/emit.ts'
export { type Evolved, evolve } from './operators/evolve.ts'
export { exhaustMap } from './operators/exhaust-map.ts'
export { join, type Joined, type JoinOptions, type Unmatched } from './operators/join.ts'
export { mergeMap } from './operators/merge-map.ts'
export { ofType } from './operators/of-type.ts'
export { type SessionOptions, sessionWindow } from './operators/session-window.ts'
export { switchMap } from './operators/switch-map.ts'
export { type ThrottleOptions, throttleTime } from './operators/throttle-time.ts'
export { tumblingWindow } from './operators/tumbling-window.ts'
export { unheldOperators } from './operators/unheld-operators.ts'
export type { Window, WindowOf } from './operators/window.ts'
