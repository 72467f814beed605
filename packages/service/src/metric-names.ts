import { counter, gauge, histogram, type MetricName } from './metric-name.ts'

const group = ['topic', 'group'] as const
const part = [...group, 'partition'] as const
const route = ['service', 'method', 'route'] as const

/**
 * Every metric that Millrace publishes, beside those of the process (`millrace_process_*`, `millrace_nodejs_*`, where
 * the delay of the event loop is). Dashboards, docs/metrics.md and tests read this list. What a label may say is in
 * docs/metrics.md; label sets beyond a metric's limit are counted as `other`.
 */
export const metricNames = {
  info: gauge('millrace_info', 'Always 1; the version in its label', 'version'),
  dependencyState: gauge(
    'millrace_dependency_state',
    'Health of what the process depends on: 1 for its state (ok, degraded, down), 0 for the others',
    'dependency',
    'state',
  ),
  canaryAge: gauge(
    'millrace_canary_age_seconds',
    'Time since the sending of the latest canary event that came through its partition: append, processing, commit',
    'partition',
  ),
  logLines: counter('millrace_log_lines_total', 'Lines logged at warn or above', 'level'),

  httpRequests: counter('millrace_http_requests_total', 'Requests answered', ...route, 'status'),
  httpSeconds: histogram(
    'millrace_http_request_duration_seconds',
    'Time from the last header of a request to its answer',
    ...route,
  ),
  httpInFlight: gauge('millrace_http_requests_in_flight', 'Requests that have no answer yet', 'service'),

  eventsAppended: counter(
    'millrace_events_appended_total',
    'Events that are new on the log',
    'topic',
    'type',
  ),
  appends: counter(
    'millrace_appends_total',
    'Units (what is appended whole or not at all) by outcome: appended, duplicate, unchanged, or the code of the refusal or failure',
    'topic',
    'outcome',
  ),
  appendSeconds: histogram(
    'millrace_append_duration_seconds',
    'Time of an append, from the call to the answer of the log',
    'topic',
  ),
  claims: counter(
    'millrace_claims_total',
    'Changes to claims by action (claim, change, release) and outcome (won, lost, void: refused for another reason)',
    'topic',
    'constraint',
    'action',
    'outcome',
  ),

  eventsProcessed: counter(
    'millrace_events_processed_total',
    'Events settled by commits, by outcome: done, deferred, dead, before-snapshot (in what its key was taken over with), lined (waits behind a parked head), skipped (not for the group, type other)',
    ...group,
    'type',
    'outcome',
  ),
  handlingSeconds: histogram(
    'millrace_handling_duration_seconds',
    'Time in which a key had deliveries with its handler, from the hand-over to the last outcome',
    ...group,
  ),
  endToEndSeconds: histogram(
    'millrace_end_to_end_duration_seconds',
    'Time from the append of an event to the commit that settles it',
    ...group,
  ),
  commitSeconds: histogram(
    'millrace_commit_duration_seconds',
    'Time of a commit, from the call to the answer of the store',
    ...group,
  ),
  commitEvents: histogram('millrace_commit_events', 'Events in a commit', ...group),
  commits: counter(
    'millrace_commits_total',
    'Commits by outcome: committed, or fenced because another member has the partition',
    ...group,
    'outcome',
  ),
  retries: counter(
    'millrace_retries_total',
    'Attempts that failed and are made again, by the code of the error',
    ...group,
    'reason',
  ),
  parkings: counter(
    'millrace_parkings_total',
    'Times that a key was parked because its first event failed, by what it waits for: retry, operator',
    ...group,
    'waits_for',
    'reason',
  ),
  deadLetters: counter(
    'millrace_dead_letters_total',
    'Events given up, by the code of the error',
    ...group,
    'reason',
  ),
  repairs: counter(
    'millrace_repairs_total',
    'Rulings by operators: what was ruled (kind) on what (head, line, dead, effect)',
    ...group,
    'kind',
    'on',
  ),
  troubles: counter(
    'millrace_troubles_total',
    'Calls to the log or the store that failed and are made again, by the code of the error',
    ...group,
    'reason',
  ),
  stalls: counter(
    'millrace_stalls_total',
    'Times that a partition had lag and no progress for so long that its lease was let go',
    ...group,
  ),

  groupLag: gauge('millrace_group_lag_events', 'Events behind the position of the group', ...part),
  groupOldest: gauge(
    'millrace_group_oldest_unprocessed_seconds',
    'Age of the first event that the group has not settled; 0 when there is none',
    ...part,
  ),
  groupSinceProgress: gauge(
    'millrace_group_since_progress_seconds',
    'Time in which events waited and nothing of the partition moved; 0 while all is well',
    ...part,
  ),
  groupEvents: gauge(
    'millrace_group_events',
    'Events of the group by place: done, parked (heads), lined (behind them), deferred, dead, requeued, unsettled',
    ...part,
    'place',
  ),
  groupUnprocessable: gauge(
    'millrace_group_unprocessable_events',
    'Dead letters and heads that wait for an operator, by reason class (the fingerprint of the error)',
    ...group,
    'reason',
  ),
  groupOldestUnprocessable: gauge(
    'millrace_group_oldest_unprocessable_seconds',
    'Time since the oldest event that waits for an operator was given up; 0 when there is none',
    ...group,
  ),
  groupDifferences: gauge(
    'millrace_group_conservation_differences',
    'Differences between the counters of the group and its structures; anything but 0 is a loss or a bug',
    ...part,
  ),
  groupEffects: gauge(
    'millrace_group_effects',
    'Effects of the group by state: pending, parked, dead, withheld (recorded by a shadow and not carried out)',
    ...part,
    'state',
  ),
  shadowDifferences: gauge(
    'millrace_shadow_differences',
    'Keys whose state differs from what the other system has, by field, as the last comparison of all keys has found',
    'group',
    'field',
  ),
  groupOutbox: gauge('millrace_group_outbox_entries', 'Emitted entries that are not forwarded yet', ...part),
  groupTimers: gauge('millrace_group_timers', 'Durable timers that are set', ...part),

  effects: counter(
    'millrace_effects_total',
    'Attempts on effects by outcome: confirmed, retried, dead',
    ...group,
    'effect',
    'outcome',
  ),
  breakerState: gauge(
    'millrace_breaker_state',
    'Circuit breakers: 1 for the state (closed, open, half-open), 0 for the others',
    'group',
    'breaker',
    'state',
  ),
  breakerChanges: counter(
    'millrace_breaker_changes_total',
    'Changes of a circuit breaker, by its new state',
    'group',
    'breaker',
    'state',
  ),

  leases: gauge('millrace_leases', 'Partitions that this process has the lease of', ...group),
  leasesTaken: counter('millrace_leases_taken_total', 'Partitions taken over', ...group),
  leasesEnded: counter(
    'millrace_leases_ended_total',
    'Ends of the work on a partition, by reason: stop, moved, lost, fault, restart',
    ...group,
    'reason',
  ),
  rebalances: counter(
    'millrace_rebalances_total',
    'Assignments of the partitions of a group that this process has seen',
    ...group,
  ),
  handoverSeconds: histogram(
    'millrace_handover_duration_seconds',
    'Time in which a partition was drained for another member',
    ...group,
  ),
  members: gauge(
    'millrace_members',
    'Members of the group as this process sees them, by state',
    ...group,
    'state',
  ),

  lanes: gauge('millrace_lanes', 'Keys that the group has in memory', ...group),
  lanesWaiting: gauge(
    'millrace_lanes_backing_off',
    'Keys whose first event waits for its next attempt in memory',
    ...group,
  ),
  inHand: gauge('millrace_events_in_hand', 'Events that were read and are not settled', ...group),
  stateLookups: counter(
    'millrace_state_lookups_total',
    'Keys whose state was needed: hit when it was in memory, miss when the store was asked',
    ...group,
    'outcome',
  ),

  queueJobs: gauge('millrace_queue_jobs', 'Jobs in a queue, by state', 'queue', 'state'),
  suggestions: gauge('millrace_suggestions', 'Restocking suggestions, by status', 'status'),
  viewLag: gauge(
    'millrace_view_lag_events',
    'Events on the log that are not in the view',
    'view',
    'partition',
  ),

  pipelineState: gauge('millrace_pipeline_state', 'Readers: 1 for the state', 'pipeline', 'state'),
  pipelineBehind: gauge(
    'millrace_pipeline_behind_bytes',
    'Log of the source that is not safe yet',
    'pipeline',
  ),
  pipelineRetained: gauge('millrace_pipeline_retained_bytes', 'Log that the source must keep', 'pipeline'),
  pipelineChanges: counter('millrace_pipeline_changes_total', 'Row changes seen, mapped or not', 'pipeline'),
  pipelineEvents: counter('millrace_pipeline_events_total', 'Events brought to the log', 'pipeline'),
  pipelineSnapshotRows: gauge(
    'millrace_pipeline_snapshot_rows',
    'Rows told, left',
    'pipeline',
    'table',
    'part',
  ),

  redisUp: gauge('millrace_redis_up', 'Whether Redis has answered the last probe'),
  redisRoundTrip: histogram(
    'millrace_redis_round_trip_seconds',
    'Time of a PING on a connection of its own, one with each scrape',
  ),
  redisMemory: gauge('millrace_redis_memory_used_bytes', 'Memory that Redis uses'),
  redisMemoryMax: gauge('millrace_redis_memory_max_bytes', 'Limit of the memory of Redis; 0: none is set'),
  redisEvicted: gauge(
    'millrace_redis_evicted_keys',
    'Keys that Redis has evicted since its start; anything but 0 is a loss',
  ),
  redisMode: gauge(
    'millrace_redis_mode_info',
    'Always 1; maxmemory policy and durability (fsync: always, everysec, no, off without an append-only file) in the labels',
    'policy',
    'fsync',
  ),
  redisSafe: gauge(
    'millrace_redis_safe',
    'Whether Redis evicts nothing and writes an append-only file, and its last write to disk went well',
  ),
  redisClients: gauge('millrace_redis_clients', 'Connections that Redis has'),

  seriesFolded: counter(
    'millrace_metric_series_folded_total',
    'Label sets beyond the limit of a metric that were counted as other',
    'metric',
  ),
  readingsFailed: counter(
    'millrace_metric_readings_failed_total',
    'Readings that failed or came too late at a scrape: what they would have said is missing or old',
    'reading',
  ),
} as const satisfies Record<string, MetricName>
