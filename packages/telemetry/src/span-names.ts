/**
 * Names of attributes, all of them. What OpenTelemetry's semantic conventions (1.45) name is named so; what they have no
 * word for begins with `millrace.`. Never a key, an address or data: keys can be addresses.
 */
export const attributes = {
  method: 'http.request.method',
  route: 'http.route',
  status: 'http.response.status_code',
  peer: 'service.peer.name',
  system: 'messaging.system.name',
  operation: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  group: 'messaging.consumer.group.name',
  messageId: 'messaging.message.id',
  /** The correlation id. */
  conversation: 'messaging.message.conversation_id',
  batchCount: 'messaging.batch.message_count',
  errorType: 'error.type',
  type: 'millrace.event.type',
  seq: 'millrace.seq',
  attempt: 'millrace.attempt',
  late: 'millrace.late',
  appended: 'millrace.append.status',
  constraints: 'millrace.constraints',
  claimed: 'millrace.claim.status',
  effect: 'millrace.effect',
  repair: 'millrace.repair',
  lag: 'millrace.lag',
  correlation: 'millrace.correlation_id',
} as const

/** The messaging systems. */
export const systems = { log: 'millrace', jobs: 'bullmq', mail: 'mail' } as const

/** The attributes of an operation on a destination. */
export function messaging(
  system: string,
  operation: string,
  type: 'create' | 'send' | 'receive' | 'process' | 'settle' | undefined,
  destination: string,
): Readonly<Record<string, string | undefined>> {
  return {
    [attributes.system]: system,
    [attributes.operation]: operation,
    [attributes.operationType]: type,
    [attributes.destination]: destination,
  }
}
